-- Webhooks: programs outside that are told of events. Which there are says the configuration; here is how they stand.

create table webhooks (
    name text primary key check (name ~ '^[a-z0-9-]{1,40}$'),
    -- Batches in a row of which nothing was taken, why, and when the next may go.
    failures integer not null default 0 check (failures >= 0),
    last_failure text,
    due_at timestamptz not null default now(),
    -- One server at a time sends. Its hold ends by itself if it is killed.
    held_by uuid,
    held_until timestamptz,
    -- Set: the receiver answered that it wants no more, and no events are written for it.
    disabled_at timestamptz
);

-- Events that wait, and those that were given up. What was delivered is gone. Written by the transactions that caused
-- them; no foreign key to the webhook, since that would lock its row at each enrollment.
create table webhook_events (
    id bigint generated always as identity,
    webhook text not null,
    message uuid not null default gen_random_uuid(),
    type text not null,
    -- Of one subject an event is sent after those before it.
    subject text not null,
    body bytea not null,
    created_at timestamptz not null,
    attempts integer not null default 0 check (attempts >= 0),
    last_failure text,
    due_at timestamptz not null default now(),
    -- After it no further failure is waited out.
    give_up_at timestamptz not null,
    given_up_at timestamptz,
    primary key (webhook, id)
);

create index webhook_events_waiting on webhook_events (webhook, id) where given_up_at is null;
create index webhook_events_subject on webhook_events (webhook, subject, id) where given_up_at is null;
create index webhook_events_given_up on webhook_events (webhook, given_up_at) where given_up_at is not null;

grant select, insert on webhooks to muster_server;
grant update (failures, last_failure, due_at, held_by, held_until, disabled_at) on webhooks to muster_server;
grant select, insert, delete on webhook_events to muster_server;
grant update (attempts, last_failure, due_at, give_up_at, given_up_at) on webhook_events to muster_server;
