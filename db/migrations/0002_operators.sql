-- What operators decide: policies, limits, registrations, approvals, blocked credentials; and the operators themselves.

alter table fleets drop constraint fleets_policy_check;
alter table fleets add constraint fleets_policy_check check (policy in ('open', 'allowlist', 'approval'));

-- How long a device that waits for approval is asked to wait before it comes again.
alter table fleets add column approval_retry_seconds integer not null default 60
    check (approval_retry_seconds between 1 and 86400);

alter table anchors drop constraint anchors_device_id_rule_check;
alter table anchors
    add column device_id_pattern text,
    -- What happens to a device that has an operational certificate and comes with a different key.
    add column key_change text not null default 'refuse' check (key_change in ('refuse', 'approve', 'replace')),
    -- Limits of the anchor as a whole, and of each of its bootstrap credentials that has none of its own.
    add column devices_max bigint check (devices_max >= 0),
    add column devices_per_hour bigint check (devices_per_hour >= 0),
    add column valid_from timestamptz,
    add column valid_until timestamptz,
    add column credential_devices_max bigint check (credential_devices_max >= 0),
    add column credential_devices_per_hour bigint check (credential_devices_per_hour >= 0),
    add column credential_valid_from timestamptz,
    add column credential_valid_until timestamptz,
    add column blocked_at timestamptz,
    add column blocked_by text,
    add column block_comment text,
    -- A removed anchor accepts nobody; its row stays, since devices and attempts name it.
    add column removed_at timestamptz,
    add constraint anchors_device_id_rule_check check (
        device_id_rule in ('subject-serial-number', 'subject-common-name', 'hardware-module-name', 'san-uri',
                           'request-common-name')
        and (device_id_rule = 'san-uri') = (device_id_pattern is not null));
update anchors set key_change = 'replace' where device_id_rule = 'subject-serial-number';

alter table anchors drop constraint anchors_fleet_id_name_key;
create unique index anchors_present on anchors (fleet_id, name) where removed_at is null;

-- How many devices each anchor let in, in all.
create table anchor_usage (
    anchor_id bigint primary key references anchors on delete cascade,
    devices bigint not null check (devices >= 0)
) with (fillfactor = 50);

-- Bootstrap credentials that a batch shares, and any other that an operator or a limit singled out.
create table bootstrap_credentials (
    fleet_id bigint not null references fleets on delete cascade,
    sha256 bytea not null check (octet_length(sha256) = 32),
    -- Null while an operator has blocked what was never seen.
    anchor_id bigint references anchors,
    kind text check (kind in ('idevid', 'claim')),
    subject text,
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    -- Devices that it let in first.
    devices bigint not null default 0 check (devices >= 0),
    -- Limits of its own, in place of those of its anchor.
    devices_max bigint check (devices_max >= 0),
    devices_per_hour bigint check (devices_per_hour >= 0),
    valid_from timestamptz,
    valid_until timestamptz,
    blocked_at timestamptz,
    blocked_by text,
    block_comment text,
    -- Marked for the operator, with the reason code of the refusal that did it.
    marked_at timestamptz,
    marked_reason text,
    primary key (fleet_id, sha256)
) with (fillfactor = 70);

create index bootstrap_credentials_marked on bootstrap_credentials (fleet_id, sha256) where marked_at is not null;
create index bootstrap_credentials_blocked on bootstrap_credentials (fleet_id, sha256) where blocked_at is not null;

-- Devices let in, minute by minute, for the limits by the hour. An empty credential stands for the anchor as a whole.
create table bootstrap_minutes (
    anchor_id bigint not null references anchors on delete cascade,
    credential_sha256 bytea not null,
    minute timestamptz not null,
    devices bigint not null check (devices > 0),
    primary key (anchor_id, credential_sha256, minute)
) with (fillfactor = 50);

alter table registrations
    -- The SHA-256 of the only public key (SubjectPublicKeyInfo) and of the only IDevID that may enroll as this device.
    add column key_sha256 bytea check (octet_length(key_sha256) = 32),
    add column idevid_sha256 bytea check (octet_length(idevid_sha256) = 32),
    add column changed_at timestamptz not null default now();
-- Names are sorted by their bytes wherever they are paged through, so that a prefix is a range.
alter table registrations alter column device_id type text collate "C";

-- Devices that wait, or waited, for an operator's word.
create table approvals (
    id bigint generated always as identity primary key,
    fleet_id bigint not null references fleets on delete cascade,
    device_id text collate "C" not null check (device_id ~ '^[A-Za-z0-9._-]{1,40}$'),
    key_sha256 bytea not null check (octet_length(key_sha256) = 32),
    kind text not null check (kind in ('first', 'key-change')),
    state text not null default 'pending' check (state in ('pending', 'approved', 'rejected')),
    anchor_id bigint references anchors,
    credential_sha256 bytea not null,
    credential_subject text,
    source text not null,
    requested_at timestamptz not null,
    decided_at timestamptz,
    decided_by text,
    comment text,
    unique (fleet_id, device_id, key_sha256),
    check ((state = 'pending') = (decided_at is null))
);

create index approvals_state on approvals (fleet_id, state, id);

alter table devices
    alter column device_id type text collate "C",
    -- The bootstrap credential that let the device in first, and its anchor.
    add column first_anchor_id bigint references anchors,
    add column first_credential_sha256 bytea,
    add column current_not_after timestamptz;
update devices d set current_not_after = c.not_after
from certificates c where c.issuer_id = d.current_issuer_id and c.serial = d.current_serial;

create index devices_first_enrolled on devices (fleet_id, first_enrolled_at, device_id);
create index devices_expiring on devices (fleet_id, current_not_after, device_id);
create index devices_credential on devices (fleet_id, first_credential_sha256, device_id);

create index attempts_request on attempts (request_id);
create index attempts_not_issued on attempts (fleet_id, at desc, id desc) where outcome in ('refused', 'pending');

-- Who may use the operator front by a certificate; those with a bearer token have their role in the token.
create table operators (
    name text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    role text not null check (role in ('viewer', 'operator', 'admin')),
    created_at timestamptz not null,
    created_by text not null,
    removed_at timestamptz
);

create table operator_certificates (
    sha256 bytea primary key check (octet_length(sha256) = 32),
    operator text not null references operators,
    not_after timestamptz not null,
    issued_at timestamptz not null,
    -- Set when its holder was removed: one who comes back does so with another certificate.
    removed_at timestamptz
);

create index operator_certificates_operator on operator_certificates (operator);

-- What was answered to a write that carried an idempotency key, so that a repeat gets the same answer.
create table idempotency_keys (
    actor text not null,
    key text not null check (length(key) between 1 and 255),
    request_sha256 bytea not null check (octet_length(request_sha256) = 32),
    created_at timestamptz not null,
    -- Null while the first request is at work.
    status integer,
    content_type text,
    body bytea,
    primary key (actor, key)
);

create index idempotency_keys_age on idempotency_keys (created_at);
create index audit_subject on audit (subject, seq);
create index outbox_topic on outbox (fleet_id, topic, id);

grant select on anchor_usage, bootstrap_credentials, bootstrap_minutes, approvals, operators, operator_certificates,
    idempotency_keys to muster_server;
grant insert on anchor_usage, bootstrap_credentials, bootstrap_minutes, approvals, operators, operator_certificates,
    idempotency_keys to muster_server;
grant update (devices) on anchor_usage, bootstrap_minutes to muster_server;
grant update (anchor_id, kind, subject, first_seen_at, last_seen_at, devices, devices_max, devices_per_hour, valid_from,
              valid_until, blocked_at, blocked_by, block_comment, marked_at, marked_reason)
    on bootstrap_credentials to muster_server;
grant update (key_sha256, idevid_sha256, changed_at) on registrations to muster_server;
grant update (state, decided_at, decided_by, comment) on approvals to muster_server;
grant update (role, removed_at) on operators to muster_server;
grant update (removed_at) on operator_certificates to muster_server;
grant update (request_sha256, created_at, status, content_type, body) on idempotency_keys to muster_server;
grant delete on bootstrap_minutes, idempotency_keys to muster_server;
