/*
 * scopes.h
 *		A set of scopes: what a token may be used for.
 *
 * A scope is 1 to 255 characters of the scope-token alphabet of RFC 6749
 * section 3.3 (printable ASCII without space, double quote and backslash).
 * An asterisk may only stand alone or as the last character after '.', ':'
 * or '/'; it then grants everything with the prefix before it:
 *
 *		api.users.*		grants api.users.read and api.users.a.b,
 *						not api.users
 *
 * SQL type apitoken.scopes: a varlena that holds the canonical text, that is
 * the scopes in bytewise order, each once, with single spaces between them.
 * So equality is equality of bytes, and because the space sorts before every
 * character of a scope, the bytewise order of two texts is the order of the
 * two lists.  The empty set is the empty text; it grants nothing.
 *
 * Pure: no catalog.  Results are palloc'd in the current context.
 */
#ifndef ATK_SCOPES_H
#define ATK_SCOPES_H

#include "utils/array.h"

#define ATK_SCOPE_MAX	255		/* characters of one scope */

/* One scope inside somebody else's text; not terminated. */
typedef struct AtkScope
{
	const char *text;
	int			len;
} AtkScope;

/* A canonical text that belongs to somebody else. */
typedef struct AtkScopes
{
	const char *text;
	int			len;
} AtkScopes;

/* The content of a varlena that is not toasted (PG_DETOAST_DATUM_PACKED). */
#define ATK_SCOPES_OF(varlena_) \
	((AtkScopes) {VARDATA_ANY(varlena_), VARSIZE_ANY_EXHDR(varlena_)})

/* What is wrong with a scope, as a sentence for the error's detail. */
extern const char *atk_scope_fault(AtkScope scope);

/*
 * Walks a canonical text: start with {text, 0} at its beginning, returns
 * false at its end.
 */
extern bool atk_scopes_next(AtkScopes scopes, AtkScope *scope);

extern int	atk_scopes_count(AtkScopes scopes);

/* Is this text canonical, and every scope of it sound? */
extern bool atk_scopes_canonical(AtkScopes scopes);

/*
 * Makes the canonical set of n sound scopes, in any order and with repeats;
 * sorts the given array in place.  The result is a varlena.
 */
extern struct varlena *atk_scopes_make(AtkScope *scopes, int n);

/*
 * Reads an OAuth text: scopes between spaces (runs of them, leading and
 * trailing ones are fine).  A malformed scope is reported as 22P02, softly
 * where escontext (see errsave) allows it, and NULL returned.
 */
extern struct varlena *atk_scopes_from_text(const char *text, int len,
											struct Node *escontext);

/*
 * Reads the scopes that a caller requires.  A blank text would require
 * nothing and so allow everything: 22023.
 */
extern struct varlena *atk_scopes_required(const text *scope);

/* Reads a text[]; raises 22P02 for a malformed element, 22004 for a NULL. */
extern struct varlena *atk_scopes_from_array(ArrayType *array);

/* The scopes as a text[]. */
extern ArrayType *atk_scopes_to_array(AtkScopes scopes);

/* Does one granted scope, perhaps a wildcard, grant this one? */
extern bool atk_scope_grants(AtkScope granted, AtkScope required);

/* Is every required scope granted?  Nothing required: yes. */
extern bool atk_scopes_grant(AtkScopes granted, AtkScopes required);

/* Does a known one grant this scope, or this wildcard a known one? */
extern bool atk_scope_known(AtkScopes known, AtkScope scope);

/* The scopes that are not known, as a set. */
extern struct varlena *atk_scopes_unknown(AtkScopes scopes, AtkScopes known);

/* Set union and set difference, wildcards being scopes like any other. */
extern struct varlena *atk_scopes_union(AtkScopes a, AtkScopes b);
extern struct varlena *atk_scopes_difference(AtkScopes a, AtkScopes b);

/* -1, 0, 1 by bytewise order */
extern int	atk_scopes_compare(AtkScopes a, AtkScopes b);

#endif							/* ATK_SCOPES_H */
