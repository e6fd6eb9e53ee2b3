/*
 * allowed_scopes.c
 *		General, organization and service scopes; see allowed_scopes.h.
 */
#include "postgres.h"
#include "compat.h"

#include "allowed_scopes.h"
#include "json.h"

static const char *const kept_values[] = {"ROLES", "PERMISSIONS", NULL};

static const AtkJsonRule string_rule = {.type = ATK_JSON_STRING};
static const AtkJsonRule boolean_rule = {.type = ATK_JSON_BOOLEAN};
static const AtkJsonRule strings_rule = {
	.type = ATK_JSON_ARRAY, .element = &string_rule
};
static const AtkJsonRule kept_rule = {
	.type = ATK_JSON_STRING, .allowed = kept_values
};
static const AtkJsonRule kepts_rule = {
	.type = ATK_JSON_ARRAY, .element = &kept_rule
};

static const AtkJsonMember permission_members[] = {
	{"permissionId", &string_rule, true},
	{"resources", &strings_rule, false},
	{NULL}
};
static const AtkJsonRule permission_rule = {
	.type = ATK_JSON_OBJECT, .members = permission_members
};
static const AtkJsonRule permissions_rule = {
	.type = ATK_JSON_ARRAY, .element = &permission_rule
};

static const AtkJsonMember role_members[] = {
	{"name", &string_rule, true},
	{"resource", &string_rule, false},
	{NULL}
};
static const AtkJsonRule role_rule = {
	.type = ATK_JSON_OBJECT, .members = role_members
};
static const AtkJsonRule roles_rule = {
	.type = ATK_JSON_ARRAY, .element = &role_rule
};

/* "all" and a list of some contradict each other. */
static void
check_all_or_some(JsonbContainer *object, const char *path,
				  const char *all, const char *some)
{
	if (atk_json_get_boolean(object, all) &&
		atk_json_get_length(object, some) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s.%s: must be empty or absent where %s is true",
						path, some, all)));
}

static void
check_scopes_object(JsonbContainer *object, const char *path)
{
	check_all_or_some(object, path, "allPermissions", "permissions");
	check_all_or_some(object, path, "allRoles", "roles");
}

#define SCOPES_MEMBERS \
	{"allPermissions", &boolean_rule, false}, \
	{"allRoles", &boolean_rule, false}, \
	{"keptInToken", &kepts_rule, false}, \
	{"permissions", &permissions_rule, false}, \
	{"roles", &roles_rule, false}

static const AtkJsonMember organization_members[] = {
	SCOPES_MEMBERS,
	{NULL}
};
static const AtkJsonRule organization_rule = {
	.type = ATK_JSON_OBJECT, .members = organization_members,
	.check = check_scopes_object
};

static const AtkJsonMember service_members[] = {
	SCOPES_MEMBERS,
	{"serviceDefinitionId", &string_rule, true},
	{NULL}
};
static const AtkJsonRule service_rule = {
	.type = ATK_JSON_OBJECT, .members = service_members,
	.check = check_scopes_object
};
static const AtkJsonRule services_rule = {
	.type = ATK_JSON_ARRAY, .element = &service_rule
};

static const AtkJsonMember allowed_scopes_members[] = {
	{"generalScopes", &strings_rule, false},
	{"organizationScopes", &organization_rule, false},
	{"servicesScopes", &services_rule, false},
	{NULL}
};
static const AtkJsonRule allowed_scopes_rule = {
	.type = ATK_JSON_OBJECT, .members = allowed_scopes_members
};

void
atk_allowed_scopes_check(Jsonb *json, const char *argument)
{
	atk_json_check(json, &allowed_scopes_rule, argument);
}
