/*
 * columns.h
 *		The extension's tables as C sees them: names and column numbers.
 *
 * The order is that of the CREATE TABLE statements in sql/.  Columns are only
 * ever added at the end, and a table with fewer is refused (table.c).
 */
#ifndef ATK_COLUMNS_H
#define ATK_COLUMNS_H

#define ATK_SCHEMA	"apitoken"

/* apitoken.realm, src/sql/realm.sql */
enum
{
	Anum_realm_id = 1,
	Anum_realm_name,
	Anum_realm_prefix,
	Anum_realm_enabled,
	Anum_realm_default_ttl,
	Anum_realm_max_ttl,
	Anum_realm_max_idle,
	Anum_realm_max_active_per_principal,
	Anum_realm_known_scopes,
	Anum_realm_access_token_ttl,
	Anum_realm_token_endpoint_url,
	Anum_realm_oidc_issuer_url,
	Anum_realm_idp_id,
	Anum_realm_idp_domain,
	Anum_realm_notify,
	Anum_realm_revoke_on_reuse,
	Anum_realm_metadata,
	Anum_realm_created_at,
	Natts_realm = Anum_realm_created_at
};

/* apitoken._token, src/sql/token.sql */
enum
{
	Anum_token_id = 1,
	Anum_token_digest,
	Anum_token_previous_digest,
	Anum_token_created_at,
	Anum_token_not_before,
	Anum_token_expires_at,
	Anum_token_previous_expires_at,
	Anum_token_status,
	Anum_token_kind,
	Anum_token_key_id,
	Anum_token_realm,
	Anum_token_prefix,
	Anum_token_scopes,
	Anum_token_allowed_addresses,
	Anum_token_name,
	Anum_token_description,
	Anum_token_principal,
	Anum_token_principal_id,
	Anum_token_client_id,
	Anum_token_environment_id,
	Anum_token_idp_id,
	Anum_token_idp_domain,
	Anum_token_allowed_scopes,
	Anum_token_metadata,
	Anum_token_granted_ttl,
	Anum_token_access_token_ttl,
	Anum_token_last_chars,
	Anum_token_version,
	Anum_token_created_by,
	Anum_token_created_by_name,
	Anum_token_updated_at,
	Anum_token_updated_by,
	Anum_token_updated_by_name,
	Anum_token_status_changed_at,
	Anum_token_status_changed_by,
	Anum_token_status_reason,
	Anum_token_rotated_at,
	Anum_token_previous_key_id, /* src/sql/pepper.sql */
	Natts_token = Anum_token_previous_key_id
};

/* apitoken._usage, src/sql/usage.sql */
enum
{
	Anum_usage_token_id = 1,
	Anum_usage_realm,
	Anum_usage_last_used_at,
	Anum_usage_last_used_ip,
	Anum_usage_use_count,
	Natts_usage = Anum_usage_use_count
};

/* apitoken._usage_hourly, src/sql/usage.sql */
enum
{
	Anum_usage_hourly_token_id = 1,
	Anum_usage_hourly_hour,
	Anum_usage_hourly_outcome,
	Anum_usage_hourly_uses,
	Natts_usage_hourly = Anum_usage_hourly_uses
};

/* apitoken._event, src/sql/event.sql */
enum
{
	Anum_event_id = 1,
	Anum_event_at,
	Anum_event_realm,
	Anum_event_token_id,
	Anum_event_event,
	Anum_event_actor,
	Anum_event_actor_name,
	Anum_event_session_role,
	Anum_event_client_addr,
	Anum_event_application_name,
	Anum_event_reason,
	Anum_event_old,
	Anum_event_new,
	Natts_event = Anum_event_new
};

/* apitoken._event_id_seq, a sequence: its columns are PostgreSQL's */
enum
{
	Natts_event_id_seq = 3
};

/* apitoken._event_unsealed, src/sql/event.sql */
enum
{
	Anum_event_unsealed_event_id = 1,
	Natts_event_unsealed = Anum_event_unsealed_event_id
};

/* apitoken._event_seal, src/sql/event.sql */
enum
{
	Anum_event_seal_id = 1,
	Anum_event_seal_sealed_at,
	Anum_event_seal_last_event_at,
	Anum_event_seal_events,
	Anum_event_seal_event_digests,
	Anum_event_seal_key_id,
	Anum_event_seal_digest,
	Anum_event_seal_purged,
	Natts_event_seal = Anum_event_seal_purged
};

/* apitoken._idempotency, src/sql/idempotency.sql */
enum
{
	Anum_idempotency_realm = 1,
	Anum_idempotency_key,
	Anum_idempotency_token_id,
	Anum_idempotency_created_at,
	Natts_idempotency = Anum_idempotency_created_at
};

#endif							/* ATK_COLUMNS_H */
