-- The sum of all migrations, as pg_dump shows it: to read, and to see in a diff what a migration does.
-- Written by the test that compares it (see README.md); a database is made by the migrations alone.

CREATE FUNCTION public.create_attempt_partitions(months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    first_day timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
    starts timestamptz;
    ends timestamptz;
    name text;
    one record;
    made integer := 0;
begin
    if months_ahead not between 0 and 24 then
        raise exception 'months_ahead is %, but must be 0 to 24', months_ahead;
    end if;
    for month in 0..months_ahead loop
        starts := first_day + make_interval(months => month);
        ends := first_day + make_interval(months => month + 1);
        name := 'attempts_' || to_char(starts at time zone 'UTC', 'YYYY_MM');
        if to_regclass(name) is null then
            execute format('create table %I partition of attempts for values from (%L) to (%L)', name, starts, ends);
            for one in
                select attname as column, attstattarget as target from pg_attribute
                where attrelid = 'attempts'::regclass and attnum > 0 and not attisdropped and attstattarget >= 0
            loop
                execute format('alter table %I alter column %I set statistics %s', name, one.column, one.target);
            end loop;
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

CREATE FUNCTION public.drop_attempt_partitions(months_kept integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $_$
declare
    first_month timestamp := date_trunc('month', now() at time zone 'UTC') - make_interval(months => months_kept);
    name text;
    dropped integer := 0;
begin
    if months_kept not between 1 and 1200 then
        raise exception 'months_kept is %, but must be 1 to 1200', months_kept;
    end if;
    -- One server at a time, so that each partition is counted once.
    perform pg_advisory_xact_lock(hashtext('drop_attempt_partitions'));
    for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'attempts'::regclass and c.relname ~ '^attempts_[0-9]{4}_[0-9]{2}$'
            and to_date(right(c.relname, 7), 'YYYY_MM') < first_month
        order by 1
    loop
        execute format('drop table %I', name);
        dropped := dropped + 1;
    end loop;
    return dropped;
end
$_$;

CREATE FUNCTION public.refresh_statistics() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET default_statistics_target TO '10'
    AS $$
declare
    -- Fewer rows than this are read as fast by any plan.
    few constant integer := 200;
    -- A table's pause, in times of its look; and the longest, in seconds.
    rest constant integer := 4;
    rest_max constant double precision := 0.1;
    name regclass;
    began timestamptz;
    refreshed integer := 0;
begin
    for name in
        select c.oid from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relowner = current_user::regrole
            and pg_stat_get_live_tuples(c.oid) > few + 2 * greatest(c.reltuples, 0)
    loop
        began := clock_timestamp();
        execute format('analyze (skip_locked) %s', name);
        refreshed := refreshed + 1;
        perform pg_sleep(least(rest * extract(epoch from clock_timestamp() - began), rest_max));
    end loop;
    return refreshed;
end
$$;

CREATE TABLE public.agent_lists (
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    authority_sha256 bytea NOT NULL,
    number bigint NOT NULL,
    in_force_at timestamp with time zone NOT NULL,
    CONSTRAINT agent_lists_authority_sha256_check CHECK ((octet_length(authority_sha256) = 32)),
    CONSTRAINT agent_lists_number_check CHECK ((number >= 0))
);

CREATE TABLE public.agents (
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    reported_at timestamp with time zone NOT NULL,
    trust_store_version bigint,
    sessions_through bigint,
    sessions_at timestamp with time zone,
    faults integer NOT NULL,
    CONSTRAINT agents_faults_check CHECK ((faults >= 0))
);

CREATE TABLE public.anchor_usage (
    anchor_id bigint NOT NULL,
    devices bigint NOT NULL,
    CONSTRAINT anchor_usage_devices_check CHECK ((devices >= 0))
)
WITH (fillfactor='50');

CREATE TABLE public.anchors (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    name text NOT NULL,
    certificate bytea NOT NULL,
    device_id_rule text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    device_id_pattern text,
    key_change text DEFAULT 'refuse'::text NOT NULL,
    devices_max bigint,
    devices_per_hour bigint,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone,
    credential_devices_max bigint,
    credential_devices_per_hour bigint,
    credential_valid_from timestamp with time zone,
    credential_valid_until timestamp with time zone,
    blocked_at timestamp with time zone,
    blocked_by text,
    block_comment text,
    removed_at timestamp with time zone,
    CONSTRAINT anchors_credential_devices_max_check CHECK ((credential_devices_max >= 0)),
    CONSTRAINT anchors_credential_devices_per_hour_check CHECK ((credential_devices_per_hour >= 0)),
    CONSTRAINT anchors_device_id_rule_check CHECK (((device_id_rule = ANY (ARRAY['subject-serial-number'::text, 'subject-common-name'::text, 'hardware-module-name'::text, 'san-uri'::text, 'request-common-name'::text])) AND ((device_id_rule = 'san-uri'::text) = (device_id_pattern IS NOT NULL)))),
    CONSTRAINT anchors_devices_max_check CHECK ((devices_max >= 0)),
    CONSTRAINT anchors_devices_per_hour_check CHECK ((devices_per_hour >= 0)),
    CONSTRAINT anchors_key_change_check CHECK ((key_change = ANY (ARRAY['refuse'::text, 'approve'::text, 'replace'::text]))),
    CONSTRAINT anchors_name_check CHECK ((name ~ '^[a-z0-9-]{1,40}$'::text))
);
ALTER TABLE public.anchors ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.anchors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.approvals (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    key_sha256 bytea NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    anchor_id bigint,
    credential_sha256 bytea NOT NULL,
    credential_subject text,
    source text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by text,
    comment text,
    CONSTRAINT approvals_check CHECK (((state = 'pending'::text) = (decided_at IS NULL))),
    CONSTRAINT approvals_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text)),
    CONSTRAINT approvals_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT approvals_kind_check CHECK ((kind = ANY (ARRAY['first'::text, 'key-change'::text, 'reenrollment'::text]))),
    CONSTRAINT approvals_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text])))
);
ALTER TABLE public.approvals ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.approvals_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.attempts (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    request_id uuid NOT NULL,
    fleet_id bigint,
    device_id text,
    operation text NOT NULL,
    source text NOT NULL,
    credential_kind text,
    credential_sha256 bytea,
    credential_subject text,
    anchor_id bigint,
    key_sha256 bytea,
    stage text NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text,
    detail text,
    issuer_id bigint,
    serial bytea,
    CONSTRAINT attempts_credential_kind_check CHECK ((credential_kind = ANY (ARRAY['idevid'::text, 'claim'::text, 'ldevid'::text]))),
    CONSTRAINT attempts_operation_check CHECK ((operation = ANY (ARRAY['simpleenroll'::text, 'simplereenroll'::text]))),
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['issued'::text, 'repeated'::text, 'pending'::text, 'refused'::text])))
)
PARTITION BY RANGE (at);
ALTER TABLE ONLY public.attempts ALTER COLUMN id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN at SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN request_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN operation SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN source SET STATISTICS 0;
ALTER TABLE ONLY public.attempts ALTER COLUMN credential_kind SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN credential_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN credential_subject SET STATISTICS 0;
ALTER TABLE ONLY public.attempts ALTER COLUMN anchor_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.attempts ALTER COLUMN stage SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN rule SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN outcome SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN reason SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN detail SET STATISTICS 0;
ALTER TABLE ONLY public.attempts ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts ALTER COLUMN serial SET STATISTICS 0;

CREATE TABLE public.attempts_MONTH (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    request_id uuid NOT NULL,
    fleet_id bigint,
    device_id text,
    operation text NOT NULL,
    source text NOT NULL,
    credential_kind text,
    credential_sha256 bytea,
    credential_subject text,
    anchor_id bigint,
    key_sha256 bytea,
    stage text NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text,
    detail text,
    issuer_id bigint,
    serial bytea,
    CONSTRAINT attempts_credential_kind_check CHECK ((credential_kind = ANY (ARRAY['idevid'::text, 'claim'::text, 'ldevid'::text]))),
    CONSTRAINT attempts_operation_check CHECK ((operation = ANY (ARRAY['simpleenroll'::text, 'simplereenroll'::text]))),
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['issued'::text, 'repeated'::text, 'pending'::text, 'refused'::text])))
);
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN at SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN request_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN operation SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN source SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN credential_kind SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN credential_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN credential_subject SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN anchor_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN stage SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN rule SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN outcome SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN reason SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN detail SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_MONTH ALTER COLUMN serial SET STATISTICS 0;

CREATE TABLE public.attempts_default (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    request_id uuid NOT NULL,
    fleet_id bigint,
    device_id text,
    operation text NOT NULL,
    source text NOT NULL,
    credential_kind text,
    credential_sha256 bytea,
    credential_subject text,
    anchor_id bigint,
    key_sha256 bytea,
    stage text NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text,
    detail text,
    issuer_id bigint,
    serial bytea,
    CONSTRAINT attempts_credential_kind_check CHECK ((credential_kind = ANY (ARRAY['idevid'::text, 'claim'::text, 'ldevid'::text]))),
    CONSTRAINT attempts_operation_check CHECK ((operation = ANY (ARRAY['simpleenroll'::text, 'simplereenroll'::text]))),
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['issued'::text, 'repeated'::text, 'pending'::text, 'refused'::text])))
);
ALTER TABLE ONLY public.attempts_default ALTER COLUMN id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN at SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN request_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN operation SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN source SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN credential_kind SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN credential_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN credential_subject SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN anchor_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN stage SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN rule SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN outcome SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN reason SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN detail SET STATISTICS 0;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.attempts_default ALTER COLUMN serial SET STATISTICS 0;
ALTER TABLE public.attempts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.attempts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit (
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_seq_check CHECK ((seq > 0))
);
ALTER TABLE ONLY public.audit ALTER COLUMN seq SET STATISTICS 10;
ALTER TABLE ONLY public.audit ALTER COLUMN at SET STATISTICS 10;
ALTER TABLE ONLY public.audit ALTER COLUMN actor SET STATISTICS 0;
ALTER TABLE ONLY public.audit ALTER COLUMN action SET STATISTICS 0;
ALTER TABLE ONLY public.audit ALTER COLUMN subject SET STATISTICS 10;
ALTER TABLE ONLY public.audit ALTER COLUMN detail SET STATISTICS 0;
ALTER TABLE ONLY public.audit ALTER COLUMN hash SET STATISTICS 0;

CREATE TABLE public.audit_head (
    singleton boolean DEFAULT true NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_singleton_check CHECK (singleton)
);

CREATE TABLE public.bootstrap_credentials (
    fleet_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    anchor_id bigint,
    kind text,
    subject text,
    first_seen_at timestamp with time zone,
    last_seen_at timestamp with time zone,
    devices bigint DEFAULT 0 NOT NULL,
    devices_max bigint,
    devices_per_hour bigint,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone,
    blocked_at timestamp with time zone,
    blocked_by text,
    block_comment text,
    marked_at timestamp with time zone,
    marked_reason text,
    CONSTRAINT bootstrap_credentials_devices_check CHECK ((devices >= 0)),
    CONSTRAINT bootstrap_credentials_devices_max_check CHECK ((devices_max >= 0)),
    CONSTRAINT bootstrap_credentials_devices_per_hour_check CHECK ((devices_per_hour >= 0)),
    CONSTRAINT bootstrap_credentials_kind_check CHECK ((kind = ANY (ARRAY['idevid'::text, 'claim'::text]))),
    CONSTRAINT bootstrap_credentials_sha256_check CHECK ((octet_length(sha256) = 32))
)
WITH (fillfactor='70');

CREATE TABLE public.bootstrap_minutes (
    anchor_id bigint NOT NULL,
    credential_sha256 bytea NOT NULL,
    minute timestamp with time zone NOT NULL,
    devices bigint NOT NULL,
    CONSTRAINT bootstrap_minutes_devices_check CHECK ((devices > 0))
)
WITH (fillfactor='50');

CREATE TABLE public.certificates (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
)
PARTITION BY HASH (serial);
ALTER TABLE ONLY public.certificates ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_0 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_0 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_1 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_1 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_2 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_2 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_3 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_3 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_4 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_4 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_5 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_5 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_6 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_6 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.certificates_7 (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    key_sha256 bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    status text DEFAULT 'valid'::text NOT NULL,
    der bytea NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    CONSTRAINT certificates_crl_shard_check CHECK ((crl_shard >= 0)),
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN serial SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN key_sha256 SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN not_before SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN not_after SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN issued_at SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN status SET STATISTICS 10;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN der SET STATISTICS 0;
ALTER TABLE ONLY public.certificates_7 ALTER COLUMN crl_shard SET STATISTICS 10;

CREATE TABLE public.crl_changes (
    id bigint NOT NULL,
    issuer_id bigint NOT NULL,
    shard integer NOT NULL,
    at timestamp with time zone NOT NULL,
    seq bigint
);
ALTER TABLE public.crl_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.crl_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.crl_signings (
    issuer_id bigint NOT NULL,
    shard integer NOT NULL,
    number bigint NOT NULL,
    through bigint NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    CONSTRAINT crl_signings_number_check CHECK ((number > 0)),
    CONSTRAINT crl_signings_shard_check CHECK ((shard >= 0))
);

CREATE TABLE public.crl_urls (
    issuer_id bigint NOT NULL,
    url text NOT NULL,
    first_used_at timestamp with time zone NOT NULL
);

CREATE TABLE public.crls (
    issuer_id bigint NOT NULL,
    shard integer NOT NULL,
    number bigint NOT NULL,
    this_update timestamp with time zone NOT NULL,
    next_update timestamp with time zone NOT NULL,
    places text[] NOT NULL,
    list bytea NOT NULL,
    delta bytea NOT NULL,
    base bytea NOT NULL,
    base_number bigint NOT NULL,
    through bigint DEFAULT 0 NOT NULL,
    CONSTRAINT crls_number_check CHECK ((number > 0)),
    CONSTRAINT crls_shard_check CHECK ((shard >= 0))
);
ALTER TABLE ONLY public.crls ALTER COLUMN list SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.crls ALTER COLUMN delta SET STORAGE EXTERNAL;
ALTER TABLE ONLY public.crls ALTER COLUMN base SET STORAGE EXTERNAL;

CREATE TABLE public.device_keys (
    key_sha256 bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    bound_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT device_keys_key_sha256_check CHECK ((octet_length(key_sha256) = 32))
);
ALTER TABLE ONLY public.device_keys ALTER COLUMN key_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.device_keys ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.device_keys ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.device_keys ALTER COLUMN bound_at SET STATISTICS 10;
ALTER TABLE ONLY public.device_keys ALTER COLUMN revoked_at SET STATISTICS 10;

CREATE TABLE public.devices (
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    first_enrolled_at timestamp with time zone NOT NULL,
    enrolled_at timestamp with time zone NOT NULL,
    current_issuer_id bigint NOT NULL,
    current_serial bytea NOT NULL,
    current_key_sha256 bytea NOT NULL,
    renewable_serial bytea,
    current_used_at timestamp with time zone,
    idevid_anchor_id bigint,
    trust_store_version bigint,
    trust_store_acknowledged_at timestamp with time zone,
    first_anchor_id bigint,
    first_credential_sha256 bytea,
    current_not_after timestamp with time zone,
    revoked_at timestamp with time zone,
    revocation_reason text,
    revoked_by text,
    revocation_comment text,
    standing_changes bigint DEFAULT 0 NOT NULL,
    revocation_seq bigint,
    CONSTRAINT devices_current_key_sha256_check CHECK ((octet_length(current_key_sha256) = 32)),
    CONSTRAINT devices_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text)),
    CONSTRAINT devices_revocation_check CHECK ((((revoked_at IS NULL) = (revocation_reason IS NULL)) AND ((revoked_at IS NULL) = (revoked_by IS NULL))))
)
WITH (fillfactor='80');
ALTER TABLE ONLY public.devices ALTER COLUMN fleet_id SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN device_id SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN first_enrolled_at SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN enrolled_at SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN current_issuer_id SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN current_serial SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN current_key_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN renewable_serial SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN current_used_at SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN idevid_anchor_id SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN trust_store_version SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN trust_store_acknowledged_at SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN first_anchor_id SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN first_credential_sha256 SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN current_not_after SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN revoked_at SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN revocation_reason SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN revoked_by SET STATISTICS 0;
ALTER TABLE ONLY public.devices ALTER COLUMN revocation_comment SET STATISTICS 0;
ALTER TABLE ONLY public.devices ALTER COLUMN standing_changes SET STATISTICS 10;
ALTER TABLE ONLY public.devices ALTER COLUMN revocation_seq SET STATISTICS 10;

CREATE TABLE public.fleet_issuers (
    fleet_id bigint NOT NULL,
    issuer_id bigint NOT NULL
);

CREATE TABLE public.fleets (
    id bigint NOT NULL,
    name text NOT NULL,
    issuer_id bigint NOT NULL,
    policy text NOT NULL,
    profile jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    approval_retry_seconds integer DEFAULT 60 NOT NULL,
    reenrollment text DEFAULT 'approval'::text NOT NULL,
    CONSTRAINT fleets_approval_retry_seconds_check CHECK (((approval_retry_seconds >= 1) AND (approval_retry_seconds <= 86400))),
    CONSTRAINT fleets_name_check CHECK ((name ~ '^[a-z0-9-]{1,23}$'::text)),
    CONSTRAINT fleets_policy_check CHECK ((policy = ANY (ARRAY['open'::text, 'allowlist'::text, 'approval'::text]))),
    CONSTRAINT fleets_reenrollment_check CHECK ((reenrollment = ANY (ARRAY['never'::text, 'approval'::text, 'after-clear'::text])))
);
ALTER TABLE public.fleets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fleets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.idempotency_keys (
    actor text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    status integer,
    content_type text,
    body bytea,
    CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
    CONSTRAINT idempotency_keys_request_sha256_check CHECK ((octet_length(request_sha256) = 32))
);

CREATE TABLE public.issuers (
    id bigint NOT NULL,
    name text NOT NULL,
    certificate bytea NOT NULL,
    chain bytea[] NOT NULL,
    rollover bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT issuers_chain_check CHECK (((cardinality(chain) >= 1) AND (cardinality(chain) <= 3))),
    CONSTRAINT issuers_name_check CHECK ((name ~ '^[a-z0-9-]{1,40}$'::text)),
    CONSTRAINT issuers_rollover_check CHECK ((cardinality(rollover) <= 6))
);
ALTER TABLE public.issuers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.issuers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.ocsp_clock (
    singleton boolean DEFAULT true NOT NULL,
    latest timestamp with time zone NOT NULL,
    CONSTRAINT ocsp_clock_singleton_check CHECK (singleton)
);

CREATE TABLE public.operator_certificates (
    sha256 bytea NOT NULL,
    operator text NOT NULL,
    not_after timestamp with time zone NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT operator_certificates_sha256_check CHECK ((octet_length(sha256) = 32))
);

CREATE TABLE public.operators (
    name text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT operators_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'::text)),
    CONSTRAINT operators_role_check CHECK ((role = ANY (ARRAY['gateway'::text, 'viewer'::text, 'operator'::text, 'admin'::text])))
);

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    retained boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone,
    audit_seq bigint
);
ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.registrations (
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    key_sha256 bytea,
    idevid_sha256 bytea,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT registrations_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text)),
    CONSTRAINT registrations_idevid_sha256_check CHECK ((octet_length(idevid_sha256) = 32)),
    CONSTRAINT registrations_key_sha256_check CHECK ((octet_length(key_sha256) = 32))
);

CREATE TABLE public.revocation_minutes (
    actor text NOT NULL,
    minute timestamp with time zone NOT NULL,
    devices bigint NOT NULL,
    CONSTRAINT revocation_minutes_devices_check CHECK ((devices > 0))
);

CREATE TABLE public.revocation_request_devices (
    request_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    used_at timestamp with time zone,
    CONSTRAINT revocation_request_devices_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text))
);

CREATE TABLE public.revocation_requests (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    reason text NOT NULL,
    comment text,
    requested_at timestamp with time zone NOT NULL,
    requested_by text NOT NULL,
    approved_at timestamp with time zone,
    approved_by text,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT revocation_requests_check CHECK (((approved_at IS NULL) = (approved_by IS NULL))),
    CONSTRAINT revocation_requests_check1 CHECK ((approved_by <> requested_by))
);
ALTER TABLE public.revocation_requests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.revocation_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.revocations (
    issuer_id bigint NOT NULL,
    serial bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL COLLATE pg_catalog."C",
    revoked_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    crl_shard integer DEFAULT 0 NOT NULL,
    not_after timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT revocations_reason_check CHECK ((reason = ANY (ARRAY['unspecified'::text, 'keyCompromise'::text, 'affiliationChanged'::text, 'superseded'::text, 'cessationOfOperation'::text, 'certificateHold'::text, 'privilegeWithdrawn'::text])))
);

CREATE TABLE public.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.trust_stores (
    fleet_id bigint NOT NULL,
    version bigint NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    message bytea NOT NULL,
    message_sha256 bytea NOT NULL,
    certificates bytea[] NOT NULL,
    CONSTRAINT trust_stores_message_sha256_check CHECK ((octet_length(message_sha256) = 32)),
    CONSTRAINT trust_stores_version_check CHECK ((version > 0))
);

CREATE TABLE public.webhook_events (
    id bigint NOT NULL,
    webhook text NOT NULL,
    message uuid DEFAULT gen_random_uuid() NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_failure text,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    give_up_at timestamp with time zone NOT NULL,
    given_up_at timestamp with time zone,
    CONSTRAINT webhook_events_attempts_check CHECK ((attempts >= 0))
);
ALTER TABLE public.webhook_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhooks (
    name text NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_failure text,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    held_by uuid,
    held_until timestamp with time zone,
    disabled_at timestamp with time zone,
    CONSTRAINT webhooks_failures_check CHECK ((failures >= 0)),
    CONSTRAINT webhooks_name_check CHECK ((name ~ '^[a-z0-9-]{1,40}$'::text))
);
ALTER TABLE ONLY public.attempts ATTACH PARTITION public.attempts_MONTH FOR VALUES FROM ('FIRST_DAY') TO ('FIRST_DAY');
ALTER TABLE ONLY public.attempts ATTACH PARTITION public.attempts_default DEFAULT;
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_0 FOR VALUES WITH (modulus 8, remainder 0);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_1 FOR VALUES WITH (modulus 8, remainder 1);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_2 FOR VALUES WITH (modulus 8, remainder 2);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_3 FOR VALUES WITH (modulus 8, remainder 3);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_4 FOR VALUES WITH (modulus 8, remainder 4);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_5 FOR VALUES WITH (modulus 8, remainder 5);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_6 FOR VALUES WITH (modulus 8, remainder 6);
ALTER TABLE ONLY public.certificates ATTACH PARTITION public.certificates_7 FOR VALUES WITH (modulus 8, remainder 7);
ALTER TABLE ONLY public.agent_lists
    ADD CONSTRAINT agent_lists_pkey PRIMARY KEY (fleet_id, device_id, authority_sha256);
ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_pkey PRIMARY KEY (fleet_id, device_id);
ALTER TABLE ONLY public.anchor_usage
    ADD CONSTRAINT anchor_usage_pkey PRIMARY KEY (anchor_id);
ALTER TABLE ONLY public.anchors
    ADD CONSTRAINT anchors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_fleet_id_device_id_key_sha256_key UNIQUE (fleet_id, device_id, key_sha256);
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (at, id);
ALTER TABLE ONLY public.attempts_MONTH
    ADD CONSTRAINT attempts_MONTH_pkey PRIMARY KEY (at, id);
ALTER TABLE ONLY public.attempts_default
    ADD CONSTRAINT attempts_default_pkey PRIMARY KEY (at, id);
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.bootstrap_credentials
    ADD CONSTRAINT bootstrap_credentials_pkey PRIMARY KEY (fleet_id, sha256);
ALTER TABLE ONLY public.bootstrap_minutes
    ADD CONSTRAINT bootstrap_minutes_pkey PRIMARY KEY (anchor_id, credential_sha256, minute);
ALTER TABLE ONLY public.certificates
    ADD CONSTRAINT certificates_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_0
    ADD CONSTRAINT certificates_0_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_1
    ADD CONSTRAINT certificates_1_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_2
    ADD CONSTRAINT certificates_2_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_3
    ADD CONSTRAINT certificates_3_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_4
    ADD CONSTRAINT certificates_4_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_5
    ADD CONSTRAINT certificates_5_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_6
    ADD CONSTRAINT certificates_6_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.certificates_7
    ADD CONSTRAINT certificates_7_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.crl_changes
    ADD CONSTRAINT crl_changes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.crl_signings
    ADD CONSTRAINT crl_signings_pkey PRIMARY KEY (issuer_id, shard, number);
ALTER TABLE ONLY public.crl_urls
    ADD CONSTRAINT crl_urls_pkey PRIMARY KEY (issuer_id, url);
ALTER TABLE ONLY public.crls
    ADD CONSTRAINT crls_pkey PRIMARY KEY (issuer_id, shard);
ALTER TABLE ONLY public.device_keys
    ADD CONSTRAINT device_keys_pkey PRIMARY KEY (key_sha256);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (fleet_id, device_id);
ALTER TABLE ONLY public.fleet_issuers
    ADD CONSTRAINT fleet_issuers_pkey PRIMARY KEY (fleet_id, issuer_id);
ALTER TABLE ONLY public.fleets
    ADD CONSTRAINT fleets_name_key UNIQUE (name);
ALTER TABLE ONLY public.fleets
    ADD CONSTRAINT fleets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor, key);
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_certificate_key UNIQUE (certificate);
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_name_key UNIQUE (name);
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ocsp_clock
    ADD CONSTRAINT ocsp_clock_pkey PRIMARY KEY (singleton);
ALTER TABLE ONLY public.operator_certificates
    ADD CONSTRAINT operator_certificates_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (fleet_id, device_id);
ALTER TABLE ONLY public.revocation_minutes
    ADD CONSTRAINT revocation_minutes_pkey PRIMARY KEY (actor, minute);
ALTER TABLE ONLY public.revocation_request_devices
    ADD CONSTRAINT revocation_request_devices_pkey PRIMARY KEY (request_id, device_id);
ALTER TABLE ONLY public.revocation_requests
    ADD CONSTRAINT revocation_requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (issuer_id, serial);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.trust_stores
    ADD CONSTRAINT trust_stores_pkey PRIMARY KEY (fleet_id, version);
ALTER TABLE ONLY public.webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (webhook, id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (name);

CREATE UNIQUE INDEX anchors_present ON public.anchors USING btree (fleet_id, name) WHERE (removed_at IS NULL);

CREATE INDEX approvals_state ON public.approvals USING btree (fleet_id, state, id);

CREATE INDEX attempts_not_issued ON ONLY public.attempts USING btree (fleet_id, at DESC, id DESC) WHERE (outcome = ANY (ARRAY['refused'::text, 'pending'::text]));

CREATE INDEX attempts_MONTH_fleet_id_at_id_idx ON public.attempts_MONTH USING btree (fleet_id, at DESC, id DESC) WHERE (outcome = ANY (ARRAY['refused'::text, 'pending'::text]));

CREATE INDEX attempts_device ON ONLY public.attempts USING btree (fleet_id, device_id, at DESC);

CREATE INDEX attempts_MONTH_fleet_id_device_id_at_idx ON public.attempts_MONTH USING btree (fleet_id, device_id, at DESC);

CREATE INDEX attempts_request ON ONLY public.attempts USING btree (request_id);

CREATE INDEX attempts_MONTH_request_id_idx ON public.attempts_MONTH USING btree (request_id);

CREATE INDEX attempts_default_fleet_id_at_id_idx ON public.attempts_default USING btree (fleet_id, at DESC, id DESC) WHERE (outcome = ANY (ARRAY['refused'::text, 'pending'::text]));

CREATE INDEX attempts_default_fleet_id_device_id_at_idx ON public.attempts_default USING btree (fleet_id, device_id, at DESC);

CREATE INDEX attempts_default_request_id_idx ON public.attempts_default USING btree (request_id);

CREATE INDEX audit_subject ON public.audit USING btree (subject, seq);

CREATE INDEX bootstrap_credentials_blocked ON public.bootstrap_credentials USING btree (fleet_id, sha256) WHERE (blocked_at IS NOT NULL);

CREATE INDEX bootstrap_credentials_marked ON public.bootstrap_credentials USING btree (fleet_id, sha256) WHERE (marked_at IS NOT NULL);

CREATE INDEX certificates_device ON ONLY public.certificates USING btree (fleet_id, device_id);

CREATE INDEX certificates_0_fleet_id_device_id_idx ON public.certificates_0 USING btree (fleet_id, device_id);

CREATE INDEX certificates_1_fleet_id_device_id_idx ON public.certificates_1 USING btree (fleet_id, device_id);

CREATE INDEX certificates_2_fleet_id_device_id_idx ON public.certificates_2 USING btree (fleet_id, device_id);

CREATE INDEX certificates_3_fleet_id_device_id_idx ON public.certificates_3 USING btree (fleet_id, device_id);

CREATE INDEX certificates_4_fleet_id_device_id_idx ON public.certificates_4 USING btree (fleet_id, device_id);

CREATE INDEX certificates_5_fleet_id_device_id_idx ON public.certificates_5 USING btree (fleet_id, device_id);

CREATE INDEX certificates_6_fleet_id_device_id_idx ON public.certificates_6 USING btree (fleet_id, device_id);

CREATE INDEX certificates_7_fleet_id_device_id_idx ON public.certificates_7 USING btree (fleet_id, device_id);

CREATE INDEX crl_signings_signed_at ON public.crl_signings USING btree (signed_at);

CREATE INDEX crl_signings_through ON public.crl_signings USING btree (issuer_id, shard, through);

CREATE INDEX devices_credential ON public.devices USING btree (fleet_id, first_credential_sha256, device_id);

CREATE INDEX devices_expiring ON public.devices USING btree (fleet_id, current_not_after, device_id);

CREATE INDEX devices_first_enrolled ON public.devices USING btree (fleet_id, first_enrolled_at, device_id);

CREATE INDEX devices_revocation_seq ON public.devices USING btree (revocation_seq) WHERE (revocation_seq IS NOT NULL);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX operator_certificates_operator ON public.operator_certificates USING btree (operator);

CREATE INDEX outbox_audit_seq ON public.outbox USING btree (audit_seq) WHERE (audit_seq IS NOT NULL);

CREATE INDEX outbox_topic ON public.outbox USING btree (fleet_id, topic, id);

CREATE INDEX outbox_waiting ON public.outbox USING btree (fleet_id, id) WHERE (published_at IS NULL);

CREATE INDEX revocation_request_devices_device ON public.revocation_request_devices USING btree (device_id) WHERE (used_at IS NULL);

CREATE INDEX revocation_requests_fleet ON public.revocation_requests USING btree (fleet_id, id);

CREATE INDEX revocations_device ON public.revocations USING btree (fleet_id, device_id);

CREATE INDEX revocations_shard ON public.revocations USING btree (issuer_id, crl_shard);

CREATE INDEX webhook_events_given_up ON public.webhook_events USING btree (webhook, given_up_at) WHERE (given_up_at IS NOT NULL);

CREATE INDEX webhook_events_subject ON public.webhook_events USING btree (webhook, subject, id) WHERE (given_up_at IS NULL);

CREATE INDEX webhook_events_waiting ON public.webhook_events USING btree (webhook, id) WHERE (given_up_at IS NULL);
ALTER INDEX public.attempts_not_issued ATTACH PARTITION public.attempts_MONTH_fleet_id_at_id_idx;
ALTER INDEX public.attempts_device ATTACH PARTITION public.attempts_MONTH_fleet_id_device_id_at_idx;
ALTER INDEX public.attempts_pkey ATTACH PARTITION public.attempts_MONTH_pkey;
ALTER INDEX public.attempts_request ATTACH PARTITION public.attempts_MONTH_request_id_idx;
ALTER INDEX public.attempts_not_issued ATTACH PARTITION public.attempts_default_fleet_id_at_id_idx;
ALTER INDEX public.attempts_device ATTACH PARTITION public.attempts_default_fleet_id_device_id_at_idx;
ALTER INDEX public.attempts_pkey ATTACH PARTITION public.attempts_default_pkey;
ALTER INDEX public.attempts_request ATTACH PARTITION public.attempts_default_request_id_idx;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_0_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_0_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_1_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_1_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_2_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_2_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_3_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_3_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_4_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_4_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_5_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_5_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_6_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_6_pkey;
ALTER INDEX public.certificates_device ATTACH PARTITION public.certificates_7_fleet_id_device_id_idx;
ALTER INDEX public.certificates_pkey ATTACH PARTITION public.certificates_7_pkey;
ALTER TABLE ONLY public.agent_lists
    ADD CONSTRAINT agent_lists_fleet_id_device_id_fkey FOREIGN KEY (fleet_id, device_id) REFERENCES public.agents(fleet_id, device_id);
ALTER TABLE ONLY public.agents
    ADD CONSTRAINT agents_fleet_id_device_id_fkey FOREIGN KEY (fleet_id, device_id) REFERENCES public.devices(fleet_id, device_id);
ALTER TABLE ONLY public.anchor_usage
    ADD CONSTRAINT anchor_usage_anchor_id_fkey FOREIGN KEY (anchor_id) REFERENCES public.anchors(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.anchors
    ADD CONSTRAINT anchors_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_anchor_id_fkey FOREIGN KEY (anchor_id) REFERENCES public.anchors(id);
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.bootstrap_credentials
    ADD CONSTRAINT bootstrap_credentials_anchor_id_fkey FOREIGN KEY (anchor_id) REFERENCES public.anchors(id);
ALTER TABLE ONLY public.bootstrap_credentials
    ADD CONSTRAINT bootstrap_credentials_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.bootstrap_minutes
    ADD CONSTRAINT bootstrap_minutes_anchor_id_fkey FOREIGN KEY (anchor_id) REFERENCES public.anchors(id) ON DELETE CASCADE;
ALTER TABLE public.certificates
    ADD CONSTRAINT certificates_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id);
ALTER TABLE public.certificates
    ADD CONSTRAINT certificates_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.crl_signings
    ADD CONSTRAINT crl_signings_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.crl_urls
    ADD CONSTRAINT crl_urls_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.crls
    ADD CONSTRAINT crls_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.device_keys
    ADD CONSTRAINT device_keys_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_current_issuer_id_fkey FOREIGN KEY (current_issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_first_anchor_id_fkey FOREIGN KEY (first_anchor_id) REFERENCES public.anchors(id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_idevid_anchor_id_fkey FOREIGN KEY (idevid_anchor_id) REFERENCES public.anchors(id);
ALTER TABLE ONLY public.fleet_issuers
    ADD CONSTRAINT fleet_issuers_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.fleet_issuers
    ADD CONSTRAINT fleet_issuers_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.fleets
    ADD CONSTRAINT fleets_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.operator_certificates
    ADD CONSTRAINT operator_certificates_operator_fkey FOREIGN KEY (operator) REFERENCES public.operators(name);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.revocation_request_devices
    ADD CONSTRAINT revocation_request_devices_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.revocation_requests(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.revocation_requests
    ADD CONSTRAINT revocation_requests_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_fleet_id_device_id_fkey FOREIGN KEY (fleet_id, device_id) REFERENCES public.devices(fleet_id, device_id);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_issuer_id_serial_fkey FOREIGN KEY (issuer_id, serial) REFERENCES public.certificates(issuer_id, serial);
ALTER TABLE ONLY public.trust_stores
    ADD CONSTRAINT trust_stores_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
GRANT USAGE ON SCHEMA public TO muster_server;
REVOKE ALL ON FUNCTION public.create_attempt_partitions(months_ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_attempt_partitions(months_ahead integer) TO muster_server;
REVOKE ALL ON FUNCTION public.drop_attempt_partitions(months_kept integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drop_attempt_partitions(months_kept integer) TO muster_server;
REVOKE ALL ON FUNCTION public.refresh_statistics() FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_statistics() TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.agent_lists TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.agents TO muster_server;
GRANT SELECT,INSERT ON TABLE public.anchor_usage TO muster_server;
GRANT UPDATE(devices) ON TABLE public.anchor_usage TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.anchors TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.approvals TO muster_server;
GRANT UPDATE(state) ON TABLE public.approvals TO muster_server;
GRANT UPDATE(decided_at) ON TABLE public.approvals TO muster_server;
GRANT UPDATE(decided_by) ON TABLE public.approvals TO muster_server;
GRANT UPDATE(comment) ON TABLE public.approvals TO muster_server;
GRANT SELECT,INSERT ON TABLE public.attempts TO muster_server;
GRANT SELECT ON TABLE public.attempts_MONTH TO muster_server;
GRANT SELECT ON TABLE public.attempts_default TO muster_server;
GRANT SELECT,INSERT ON TABLE public.audit TO muster_server;
GRANT SELECT ON TABLE public.audit_head TO muster_server;
GRANT UPDATE(seq) ON TABLE public.audit_head TO muster_server;
GRANT UPDATE(hash) ON TABLE public.audit_head TO muster_server;
GRANT SELECT,INSERT ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(anchor_id) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(kind) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(subject) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(first_seen_at) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(last_seen_at) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(devices) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(devices_max) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(devices_per_hour) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(valid_from) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(valid_until) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(blocked_at) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(blocked_by) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(block_comment) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(marked_at) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT UPDATE(marked_reason) ON TABLE public.bootstrap_credentials TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.bootstrap_minutes TO muster_server;
GRANT UPDATE(devices) ON TABLE public.bootstrap_minutes TO muster_server;
GRANT SELECT,INSERT ON TABLE public.certificates TO muster_server;
GRANT UPDATE(status) ON TABLE public.certificates TO muster_server;
GRANT SELECT ON TABLE public.certificates_0 TO muster_server;
GRANT SELECT ON TABLE public.certificates_1 TO muster_server;
GRANT SELECT ON TABLE public.certificates_2 TO muster_server;
GRANT SELECT ON TABLE public.certificates_3 TO muster_server;
GRANT SELECT ON TABLE public.certificates_4 TO muster_server;
GRANT SELECT ON TABLE public.certificates_5 TO muster_server;
GRANT SELECT ON TABLE public.certificates_6 TO muster_server;
GRANT SELECT ON TABLE public.certificates_7 TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.crl_changes TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.crl_signings TO muster_server;
GRANT SELECT,INSERT ON TABLE public.crl_urls TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.crls TO muster_server;
GRANT SELECT,INSERT ON TABLE public.device_keys TO muster_server;
GRANT UPDATE(bound_at) ON TABLE public.device_keys TO muster_server;
GRANT UPDATE(revoked_at) ON TABLE public.device_keys TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.devices TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.fleet_issuers TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.fleets TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.idempotency_keys TO muster_server;
GRANT UPDATE(request_sha256) ON TABLE public.idempotency_keys TO muster_server;
GRANT UPDATE(created_at) ON TABLE public.idempotency_keys TO muster_server;
GRANT UPDATE(status) ON TABLE public.idempotency_keys TO muster_server;
GRANT UPDATE(content_type) ON TABLE public.idempotency_keys TO muster_server;
GRANT UPDATE(body) ON TABLE public.idempotency_keys TO muster_server;
GRANT SELECT,INSERT ON TABLE public.issuers TO muster_server;
GRANT UPDATE(rollover) ON TABLE public.issuers TO muster_server;
GRANT SELECT ON TABLE public.ocsp_clock TO muster_server;
GRANT UPDATE(latest) ON TABLE public.ocsp_clock TO muster_server;
GRANT SELECT,INSERT ON TABLE public.operator_certificates TO muster_server;
GRANT UPDATE(removed_at) ON TABLE public.operator_certificates TO muster_server;
GRANT SELECT,INSERT ON TABLE public.operators TO muster_server;
GRANT UPDATE(role) ON TABLE public.operators TO muster_server;
GRANT UPDATE(removed_at) ON TABLE public.operators TO muster_server;
GRANT SELECT,INSERT ON TABLE public.outbox TO muster_server;
GRANT UPDATE(published_at) ON TABLE public.outbox TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.registrations TO muster_server;
GRANT UPDATE(key_sha256) ON TABLE public.registrations TO muster_server;
GRANT UPDATE(idevid_sha256) ON TABLE public.registrations TO muster_server;
GRANT UPDATE(changed_at) ON TABLE public.registrations TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.revocation_minutes TO muster_server;
GRANT UPDATE(devices) ON TABLE public.revocation_minutes TO muster_server;
GRANT SELECT,INSERT ON TABLE public.revocation_request_devices TO muster_server;
GRANT UPDATE(used_at) ON TABLE public.revocation_request_devices TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.revocation_requests TO muster_server;
GRANT UPDATE(approved_at) ON TABLE public.revocation_requests TO muster_server;
GRANT UPDATE(approved_by) ON TABLE public.revocation_requests TO muster_server;
GRANT UPDATE(expires_at) ON TABLE public.revocation_requests TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.revocations TO muster_server;
GRANT UPDATE(reason) ON TABLE public.revocations TO muster_server;
GRANT SELECT ON TABLE public.schema_migrations TO muster_server;
GRANT SELECT,INSERT ON TABLE public.trust_stores TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.webhook_events TO muster_server;
GRANT UPDATE(attempts) ON TABLE public.webhook_events TO muster_server;
GRANT UPDATE(last_failure) ON TABLE public.webhook_events TO muster_server;
GRANT UPDATE(due_at) ON TABLE public.webhook_events TO muster_server;
GRANT UPDATE(give_up_at) ON TABLE public.webhook_events TO muster_server;
GRANT UPDATE(given_up_at) ON TABLE public.webhook_events TO muster_server;
GRANT SELECT,INSERT ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(failures) ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(last_failure) ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(due_at) ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(held_by) ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(held_until) ON TABLE public.webhooks TO muster_server;
GRANT UPDATE(disabled_at) ON TABLE public.webhooks TO muster_server;
