/*
 * actor.h
 *		Who changes a token.
 *
 * The principal of the current token, if there is one (current.h).  Else the
 * settings apitoken.actor and apitoken.actor_name say on whose behalf an
 * application works.  Where they are empty it is the session's role.
 */
#ifndef ATK_ACTOR_H
#define ATK_ACTOR_H

/* Both text, palloc'd, never NULL. */
typedef struct AtkActor
{
	Datum		id;
	Datum		name;
} AtkActor;

extern AtkActor atk_actor_current(void);

#endif							/* ATK_ACTOR_H */
