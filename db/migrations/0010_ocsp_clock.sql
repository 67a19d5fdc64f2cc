-- The latest time that an OCSP answer was signed with, by whichever server: none is signed with an earlier one. It is
-- one for all issuers, since several certificates of one CA's key share their answers.

create table ocsp_clock (
    singleton boolean primary key default true check (singleton),
    latest timestamptz not null
);

insert into ocsp_clock (latest) values ('-infinity');

grant select on ocsp_clock to muster_server;
grant update (latest) on ocsp_clock to muster_server;
