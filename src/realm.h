/*
 * realm.h
 *		The policy of a realm, as every call needs it.
 *
 * It is asked for at every verification and changes rarely, so each backend
 * keeps the realms it meets in a small array.  A trigger on apitoken.realm
 * makes PostgreSQL's relation-cache invalidation drop all of them, in every
 * session and on standbys, with the commit that changed one.
 */
#ifndef ATK_REALM_H
#define ATK_REALM_H

#include "datatype/timestamp.h"
#include "utils/relcache.h"

#include "token_text.h"

typedef struct AtkTtl
{
	bool		given;
	Interval	value;
} AtkTtl;

typedef struct AtkRealm
{
	bool		enabled;
	int			prefix_len;
	char		prefix[ATK_PREFIX_MAX];
	AtkTtl		default_ttl;
	AtkTtl		max_ttl;
	AtkTtl		max_idle;
	AtkTtl		access_token_ttl;
	int			max_active;		/* tokens of a principal; 0: any number */
	bool		knows_scopes;	/* see atk_realm_known_scopes() */
	bool		notify;
	bool		revoke_on_reuse;
} AtkRealm;

/*
 * Copies the realm's policy; false if there is none of this id.  Reads with
 * a fresh snapshot what is not in memory, under AccessShareLock.
 */
extern bool atk_realm_find(const text *id, AtkRealm *realm);

/* What a realm tells of itself, palloc'd; NULL: nothing. */
typedef struct AtkRealmLabels
{
	char	   *token_endpoint_url;
	char	   *oidc_issuer_url;
	char	   *idp_id;
	char	   *idp_domain;
} AtkRealmLabels;

/* All NULL if there is no such realm.  Reads with a fresh snapshot. */
extern void atk_realm_labels(const text *id, AtkRealmLabels *labels);

/*
 * The scopes that tokens of a realm may have, palloc'd; NULL: anything.  Not
 * kept in memory, having no bounds: ask where knows_scopes says so.
 */
extern struct varlena *atk_realm_known_scopes(const text *id);

/* Are two realm ids the same? */
extern bool atk_same_text(const text *a, const text *b);

/*
 * The realm that a new token shall belong to.  22004 without an id, 42704
 * where there is none.  Locks the token table first, so that the realm stays
 * until this transaction has ended (see atk_realm_guard).
 */
extern void atk_realm_require(const text *id, AtkRealm *realm);

pg_noreturn extern void atk_realm_raise_unknown(void);

/* 55000 where the realm is disabled. */
extern void atk_realm_require_enabled(const AtkRealm *realm);

/*
 * Raises 23503 while a token belongs to this realm, to any one if id is NULL.
 * What a foreign key would do, but without locking and writing the realm's
 * row at every token that is issued.  Takes ShareLock on the token table,
 * that is, waits for whoever is issuing, and keeps them waiting.
 */
extern void atk_realm_guard(const text *id);

/* Has all sessions forget what they know, once this transaction commits. */
extern void atk_realm_invalidate(Relation rel);

#endif							/* ATK_REALM_H */
