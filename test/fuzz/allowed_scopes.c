/*
 * allowed_scopes.c
 *		Any JSON as the allowed scopes of a token, against a naive reading of
 *		the published document.
 */
#include "postgres.h"
#include "compat.h"

#include "allowed_scopes.h"

#include "fuzz.h"

typedef bool (*Naive) (const FuzzJson *json);

static bool
is_string(const FuzzJson *json)
{
	return json->type == jbvString;
}

static bool
is_kept(const FuzzJson *json)
{
	return fuzz_json_is(json, "ROLES") || fuzz_json_is(json, "PERMISSIONS");
}

static bool
is_array_of(const FuzzJson *json, Naive naive)
{
	for (int i = 0; json->type == jbvArray && i < json->n; i++)
	{
		if (!naive(json->elements[i]))
			return false;
	}
	return json->type == jbvArray;
}

/* Absent, or as it has to be; counts how many members are there. */
static bool
member_is(const FuzzJson *object, const char *key, Naive naive, bool array,
		  int *n)
{
	const FuzzJson *member = fuzz_json_member(object, key);

	*n += member != NULL;
	return member == NULL ||
		(array ? is_array_of(member, naive) : naive(member));
}

static bool
is_boolean(const FuzzJson *json)
{
	return json->type == jbvBool;
}

static bool
is_permission(const FuzzJson *json)
{
	int			n = 0;

	return json->type == jbvObject &&
		fuzz_json_member(json, "permissionId") != NULL &&
		member_is(json, "permissionId", is_string, false, &n) &&
		member_is(json, "resources", is_string, true, &n) && n == json->n;
}

static bool
is_role(const FuzzJson *json)
{
	int			n = 0;

	return json->type == jbvObject && fuzz_json_member(json, "name") != NULL &&
		member_is(json, "name", is_string, false, &n) &&
		member_is(json, "resource", is_string, false, &n) && n == json->n;
}

static bool
all_and_some(const FuzzJson *json, const char *all, const char *some)
{
	const FuzzJson *flag = fuzz_json_member(json, all);
	const FuzzJson *list = fuzz_json_member(json, some);

	return flag != NULL && flag->boolean && list != NULL && list->n > 0;
}

static bool
is_scopes(const FuzzJson *json, int *n)
{
	return json->type == jbvObject &&
		member_is(json, "allPermissions", is_boolean, false, n) &&
		member_is(json, "allRoles", is_boolean, false, n) &&
		member_is(json, "keptInToken", is_kept, true, n) &&
		member_is(json, "permissions", is_permission, true, n) &&
		member_is(json, "roles", is_role, true, n) &&
		!all_and_some(json, "allPermissions", "permissions") &&
		!all_and_some(json, "allRoles", "roles");
}

static bool
is_organization(const FuzzJson *json)
{
	int			n = 0;

	return is_scopes(json, &n) && n == json->n;
}

static bool
is_service(const FuzzJson *json)
{
	int			n = 0;

	return is_scopes(json, &n) &&
		fuzz_json_member(json, "serviceDefinitionId") != NULL &&
		member_is(json, "serviceDefinitionId", is_string, false, &n) &&
		n == json->n;
}

static bool
is_allowed_scopes(const FuzzJson *json)
{
	int			n = 0;

	return json->type == jbvObject &&
		member_is(json, "generalScopes", is_string, true, &n) &&
		member_is(json, "organizationScopes", is_organization, false, &n) &&
		member_is(json, "servicesScopes", is_service, true, &n) &&
		n == json->n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	FuzzJson   *json;
	bool		allowed;

	stub_reset();
	json = fuzz_json_read(data, len);
	allowed = is_allowed_scopes(json);
	TRAP(atk_allowed_scopes_check(fuzz_json_value(json), "allowed_scopes"));
	CHECK(error_raised == !allowed);
	if (error_raised)
	{
		/* the path, and of what stands there 24 bytes at the most */
		CHECK(fuzz_raised("22023"));
		CHECK(strncmp(last_error.message, "allowed_scopes", 14) == 0);
		CHECK(strlen(last_error.message) < 160);
	}
	return 0;
}
