-- Gateways ask whether a device is to be let in, and may do nothing else.
alter table operators drop constraint operators_role_check,
    add constraint operators_role_check check (role in ('gateway', 'viewer', 'operator', 'admin'));
