-- CRLs: each issuer's revoked certificates, spread over lists so that one revocation signs a small one.

-- 0: the certificate's distribution point names no list of its own; it is in the list of all alone.
alter table certificates add column crl_shard integer not null default 0 check (crl_shard >= 0);

alter table revocations
    add column crl_shard integer not null default 0,
    -- That of the certificate; infinity where a server that knew no lists revoked it.
    add column not_after timestamptz not null default 'infinity';
update revocations r set not_after = c.not_after from certificates c
where c.issuer_id = r.issuer_id and c.serial = r.serial;
create index revocations_shard on revocations (issuer_id, crl_shard);

-- The lists as they are published. Shard 0 lists all of an issuer's.
create table crls (
    issuer_id bigint not null references issuers (id),
    shard integer not null check (shard >= 0),
    -- Rises with each list, and is never given twice: it is counted here and nowhere else.
    number bigint not null check (number > 0),
    this_update timestamptz not null,
    next_update timestamptz not null,
    -- The URIs of its distribution point.
    places text[] not null,
    list bytea not null,
    -- What has changed since the list that is its base, which was the present one when the lists were last due.
    delta bytea not null,
    base bytea not null,
    base_number bigint not null,
    primary key (issuer_id, shard)
);
-- Serial numbers and signatures do not compress.
alter table crls alter column list set storage external, alter column delta set storage external,
    alter column base set storage external;

-- Lists that lack a change of the record. Rows come with the change and go with the list that has it.
create table crl_changes (
    id bigint generated always as identity primary key,
    issuer_id bigint not null,
    shard integer not null,
    at timestamptz not null
);

-- All URLs that certificates of an issuer may name as theirs, {shard} standing for the shard. A list names them all.
create table crl_urls (
    issuer_id bigint not null references issuers (id),
    url text not null,
    first_used_at timestamptz not null,
    primary key (issuer_id, url)
);

grant select, insert, update on crls to muster_server;
grant select, insert, delete on crl_changes to muster_server;
grant select, insert on crl_urls to muster_server;
