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
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

CREATE TABLE public.anchors (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    name text NOT NULL,
    certificate bytea NOT NULL,
    device_id_rule text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT anchors_device_id_rule_check CHECK ((device_id_rule = ANY (ARRAY['subject-serial-number'::text, 'request-common-name'::text]))),
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

CREATE TABLE public.audit_head (
    singleton boolean DEFAULT true NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_singleton_check CHECK (singleton)
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
)
PARTITION BY HASH (serial);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

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
    CONSTRAINT certificates_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT certificates_serial_check CHECK (((octet_length(serial) >= 8) AND (octet_length(serial) <= 20))),
    CONSTRAINT certificates_status_check CHECK ((status = ANY (ARRAY['valid'::text, 'superseded'::text, 'revoked'::text])))
);

CREATE TABLE public.device_keys (
    key_sha256 bytea NOT NULL,
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
    bound_at timestamp with time zone NOT NULL,
    CONSTRAINT device_keys_key_sha256_check CHECK ((octet_length(key_sha256) = 32))
);

CREATE TABLE public.devices (
    fleet_id bigint NOT NULL,
    device_id text NOT NULL,
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
    CONSTRAINT devices_current_key_sha256_check CHECK ((octet_length(current_key_sha256) = 32)),
    CONSTRAINT devices_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text))
)
WITH (fillfactor='80');

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
    CONSTRAINT fleets_name_check CHECK ((name ~ '^[a-z0-9-]{1,23}$'::text)),
    CONSTRAINT fleets_policy_check CHECK ((policy = 'open'::text))
);
ALTER TABLE public.fleets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fleets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    fleet_id bigint NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    retained boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone
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
    device_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT registrations_device_id_check CHECK ((device_id ~ '^[A-Za-z0-9._-]{1,40}$'::text))
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
ALTER TABLE ONLY public.anchors
    ADD CONSTRAINT anchors_fleet_id_name_key UNIQUE (fleet_id, name);
ALTER TABLE ONLY public.anchors
    ADD CONSTRAINT anchors_pkey PRIMARY KEY (id);
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
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_certificate_key UNIQUE (certificate);
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_name_key UNIQUE (name);
ALTER TABLE ONLY public.issuers
    ADD CONSTRAINT issuers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_pkey PRIMARY KEY (fleet_id, device_id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.trust_stores
    ADD CONSTRAINT trust_stores_pkey PRIMARY KEY (fleet_id, version);

CREATE INDEX attempts_device ON ONLY public.attempts USING btree (fleet_id, device_id, at DESC);

CREATE INDEX attempts_MONTH_fleet_id_device_id_at_idx ON public.attempts_MONTH USING btree (fleet_id, device_id, at DESC);

CREATE INDEX attempts_default_fleet_id_device_id_at_idx ON public.attempts_default USING btree (fleet_id, device_id, at DESC);

CREATE INDEX certificates_device ON ONLY public.certificates USING btree (fleet_id, device_id);

CREATE INDEX certificates_0_fleet_id_device_id_idx ON public.certificates_0 USING btree (fleet_id, device_id);

CREATE INDEX certificates_1_fleet_id_device_id_idx ON public.certificates_1 USING btree (fleet_id, device_id);

CREATE INDEX certificates_2_fleet_id_device_id_idx ON public.certificates_2 USING btree (fleet_id, device_id);

CREATE INDEX certificates_3_fleet_id_device_id_idx ON public.certificates_3 USING btree (fleet_id, device_id);

CREATE INDEX certificates_4_fleet_id_device_id_idx ON public.certificates_4 USING btree (fleet_id, device_id);

CREATE INDEX certificates_5_fleet_id_device_id_idx ON public.certificates_5 USING btree (fleet_id, device_id);

CREATE INDEX certificates_6_fleet_id_device_id_idx ON public.certificates_6 USING btree (fleet_id, device_id);

CREATE INDEX certificates_7_fleet_id_device_id_idx ON public.certificates_7 USING btree (fleet_id, device_id);

CREATE INDEX outbox_waiting ON public.outbox USING btree (fleet_id, id) WHERE (published_at IS NULL);
ALTER INDEX public.attempts_device ATTACH PARTITION public.attempts_MONTH_fleet_id_device_id_at_idx;
ALTER INDEX public.attempts_pkey ATTACH PARTITION public.attempts_MONTH_pkey;
ALTER INDEX public.attempts_device ATTACH PARTITION public.attempts_default_fleet_id_device_id_at_idx;
ALTER INDEX public.attempts_pkey ATTACH PARTITION public.attempts_default_pkey;
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
ALTER TABLE ONLY public.anchors
    ADD CONSTRAINT anchors_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE public.certificates
    ADD CONSTRAINT certificates_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id);
ALTER TABLE public.certificates
    ADD CONSTRAINT certificates_issuer_id_fkey FOREIGN KEY (issuer_id) REFERENCES public.issuers(id);
ALTER TABLE ONLY public.device_keys
    ADD CONSTRAINT device_keys_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_current_issuer_id_fkey FOREIGN KEY (current_issuer_id) REFERENCES public.issuers(id);
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
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.registrations
    ADD CONSTRAINT registrations_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.trust_stores
    ADD CONSTRAINT trust_stores_fleet_id_fkey FOREIGN KEY (fleet_id) REFERENCES public.fleets(id) ON DELETE CASCADE;
GRANT USAGE ON SCHEMA public TO muster_server;
REVOKE ALL ON FUNCTION public.create_attempt_partitions(months_ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_attempt_partitions(months_ahead integer) TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.anchors TO muster_server;
GRANT SELECT,INSERT ON TABLE public.attempts TO muster_server;
GRANT SELECT ON TABLE public.attempts_MONTH TO muster_server;
GRANT SELECT ON TABLE public.attempts_default TO muster_server;
GRANT SELECT,INSERT ON TABLE public.audit TO muster_server;
GRANT SELECT ON TABLE public.audit_head TO muster_server;
GRANT UPDATE(seq) ON TABLE public.audit_head TO muster_server;
GRANT UPDATE(hash) ON TABLE public.audit_head TO muster_server;
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
GRANT SELECT,INSERT,UPDATE ON TABLE public.device_keys TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.devices TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.fleet_issuers TO muster_server;
GRANT SELECT,INSERT,UPDATE ON TABLE public.fleets TO muster_server;
GRANT SELECT,INSERT ON TABLE public.issuers TO muster_server;
GRANT UPDATE(rollover) ON TABLE public.issuers TO muster_server;
GRANT SELECT,INSERT ON TABLE public.outbox TO muster_server;
GRANT UPDATE(published_at) ON TABLE public.outbox TO muster_server;
GRANT SELECT,INSERT,DELETE ON TABLE public.registrations TO muster_server;
GRANT SELECT ON TABLE public.schema_migrations TO muster_server;
GRANT SELECT,INSERT ON TABLE public.trust_stores TO muster_server;
