-- KisaanCenter as it stood before the migrations of 2025-10-18. PostgreSQL 13 to 18, an empty database, schema public.
-- The weak spots are deliberate, they are the ones of the field: money in five precisions, timestamps without a zone,
-- references without a foreign key, commissions without a unique constraint.

-- Upper-case labels came later, with the mobile client: both cases are alive in the data.
CREATE TYPE enum_kisaan_users_role AS ENUM
    ('superadmin', 'owner', 'farmer', 'buyer', 'SUPERADMIN', 'OWNER', 'FARMER', 'BUYER');
CREATE TYPE enum_kisaan_users_status AS ENUM ('active', 'inactive', 'suspended');
CREATE TYPE enum_kisaan_shops_status AS ENUM ('active', 'inactive', 'suspended');
CREATE TYPE enum_kisaan_plans_billing_cycle AS ENUM ('monthly', 'quarterly', 'yearly');
CREATE TYPE enum_kisaan_record_status AS ENUM ('active', 'inactive');
CREATE TYPE enum_kisaan_payments_party AS ENUM ('BUYER', 'SHOP', 'FARMER', 'EXTERNAL');
CREATE TYPE enum_kisaan_payments_status AS ENUM ('PENDING', 'PAID', 'FAILED', 'CANCELLED');
CREATE TYPE enum_kisaan_payments_method AS ENUM ('CASH', 'UPI', 'BANK_TRANSFER', 'CARD', 'CHEQUE');
CREATE TYPE enum_kisaan_commissions_type AS ENUM ('percentage', 'fixed');

CREATE TABLE kisaan_plans (
    id               serial PRIMARY KEY,
    name             varchar(100) NOT NULL UNIQUE,
    price            numeric(10,2),
    monthly_price    numeric(10,2),
    quarterly_price  numeric(10,2),
    yearly_price     numeric(10,2),
    billing_cycle    enum_kisaan_plans_billing_cycle,
    max_farmers      integer,
    max_buyers       integer,
    max_transactions integer,
    features         text NOT NULL,
    is_active        boolean NOT NULL DEFAULT true,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_categories (
    id          serial PRIMARY KEY,
    name        varchar(100) NOT NULL UNIQUE,
    description text,
    status      enum_kisaan_record_status DEFAULT 'active',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_products (
    id            serial PRIMARY KEY,
    name          varchar(100) NOT NULL,
    category_id   integer NOT NULL REFERENCES kisaan_categories (id),
    unit          varchar(20),
    record_status enum_kisaan_record_status DEFAULT 'active',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, category_id)
);

CREATE TABLE kisaan_users (
    id                     bigserial PRIMARY KEY,
    username               varchar(255) NOT NULL UNIQUE,
    password               varchar(255) NOT NULL,
    firstname              varchar(255),
    email                  varchar(255),
    contact                varchar(255),
    role                   enum_kisaan_users_role NOT NULL,
    shop_id                bigint,
    status                 enum_kisaan_users_status NOT NULL DEFAULT 'active',
    balance                numeric(12,2) NOT NULL DEFAULT 0,
    cumulative_value       numeric(18,2) NOT NULL DEFAULT 0,
    custom_commission_rate numeric(5,2),
    created_by             bigint REFERENCES kisaan_users (id),
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_shops (
    id         bigserial PRIMARY KEY,
    name       varchar(255) NOT NULL,
    owner_id   bigint NOT NULL REFERENCES kisaan_users (id),
    plan_id    integer REFERENCES kisaan_plans (id),
    address    text,
    contact    varchar(255),
    status     enum_kisaan_shops_status NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE kisaan_users
    ADD CONSTRAINT kisaan_users_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES kisaan_shops (id);
CREATE INDEX kisaan_users_shop_id ON kisaan_users (shop_id);
CREATE INDEX kisaan_shops_owner_id ON kisaan_shops (owner_id);

CREATE TABLE kisaan_transactions (
    id                serial PRIMARY KEY,
    shop_id           bigint NOT NULL REFERENCES kisaan_shops (id),
    farmer_id         bigint NOT NULL REFERENCES kisaan_users (id),
    buyer_id          bigint NOT NULL REFERENCES kisaan_users (id),
    category_id       integer NOT NULL REFERENCES kisaan_categories (id),
    product_id        bigint,                       -- wider than kisaan_products.id, and no foreign key
    product_name      varchar(255) NOT NULL,        -- copied at the time of sale
    quantity          numeric(12,2) NOT NULL,
    unit_price        numeric(12,2) NOT NULL,
    total_amount      numeric(12,2) NOT NULL,
    commission_amount numeric(12,2) NOT NULL,
    commission_rate   numeric(6,4),                 -- per cent, as applied to this sale
    commission_type   varchar(30),
    farmer_earning    numeric(12,2) NOT NULL,
    status            varchar(20) DEFAULT 'pending',
    transaction_date  timestamp,
    settlement_date   timestamp,
    notes             text,
    metadata          jsonb,
    created_at        timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),  -- the servers write UTC
    updated_at        timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);
CREATE INDEX kisaan_transactions_shop_id ON kisaan_transactions (shop_id);
CREATE INDEX kisaan_transactions_farmer_id ON kisaan_transactions (farmer_id);
CREATE INDEX kisaan_transactions_buyer_id ON kisaan_transactions (buyer_id);
CREATE INDEX kisaan_transactions_created_at ON kisaan_transactions (created_at);

CREATE TABLE kisaan_payments (
    id              bigserial PRIMARY KEY,
    transaction_id  integer REFERENCES kisaan_transactions (id) ON DELETE SET NULL,  -- NULL: advance, settlement
    shop_id         bigint REFERENCES kisaan_shops (id),
    counterparty_id integer,                        -- a user, but narrower than kisaan_users.id, and no foreign key
    payer_type      enum_kisaan_payments_party NOT NULL,
    payee_type      enum_kisaan_payments_party NOT NULL,
    amount          numeric(12,2) NOT NULL,
    status          enum_kisaan_payments_status NOT NULL DEFAULT 'PENDING',
    payment_date    timestamptz,
    method          enum_kisaan_payments_method NOT NULL,
    notes           text,
    created_at      timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at      timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);
CREATE INDEX kisaan_payments_transaction_id ON kisaan_payments (transaction_id);
CREATE INDEX kisaan_payments_status ON kisaan_payments (status);
CREATE INDEX kisaan_payments_shop_id ON kisaan_payments (shop_id);

CREATE TABLE kisaan_commissions (
    id         bigserial PRIMARY KEY,
    shop_id    bigint REFERENCES kisaan_shops (id), -- NULL: the house default
    rate       numeric(5,2) NOT NULL,
    type       enum_kisaan_commissions_type NOT NULL DEFAULT 'percentage',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE payment_allocations (
    id               serial PRIMARY KEY,
    payment_id       bigint NOT NULL REFERENCES kisaan_payments (id) ON DELETE CASCADE,
    transaction_id   integer NOT NULL REFERENCES kisaan_transactions (id) ON DELETE CASCADE,
    allocated_amount numeric(15,2) NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_allocations_payment_id ON payment_allocations (payment_id);
CREATE INDEX payment_allocations_transaction_id ON payment_allocations (transaction_id);

CREATE TABLE kisaan_transaction_ledger (
    id             bigserial PRIMARY KEY,
    transaction_id integer,                         -- no foreign key
    user_id        bigint NOT NULL,                 -- no foreign key
    role           varchar(20) NOT NULL,
    delta_amount   numeric NOT NULL,
    balance_before numeric,
    balance_after  numeric,
    reason_code    varchar(40) NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX kisaan_transaction_ledger_user_id ON kisaan_transaction_ledger (user_id);

CREATE TABLE kisaan_credits (
    id            bigserial PRIMARY KEY,
    shop_id       bigint NOT NULL REFERENCES kisaan_shops (id),
    user_id       bigint NOT NULL REFERENCES kisaan_users (id),
    amount        numeric(12,2) NOT NULL,
    repaid_amount numeric(10,2) NOT NULL DEFAULT 0,
    status        varchar(20) NOT NULL DEFAULT 'open',      -- open | repaid
    granted_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_settlements (
    id              bigserial PRIMARY KEY,
    shop_id         bigint NOT NULL REFERENCES kisaan_shops (id),
    user_id         bigint NOT NULL REFERENCES kisaan_users (id),
    opening_balance numeric(12,2) NOT NULL,
    amount          numeric(15,2) NOT NULL,                 -- opening_balance - closing_balance
    closing_balance numeric(12,2) NOT NULL,
    settled_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_expenses (
    id          bigserial PRIMARY KEY,
    shop_id     bigint NOT NULL REFERENCES kisaan_shops (id),
    category    varchar(60) NOT NULL,
    description text,
    amount      numeric(10,2) NOT NULL,
    spent_at    timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE expense_settlements (
    id             bigserial PRIMARY KEY,
    expense_id     bigint NOT NULL REFERENCES kisaan_expenses (id) ON DELETE CASCADE,
    settled_amount numeric(15,2) NOT NULL,
    method         enum_kisaan_payments_method NOT NULL,
    settled_at     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_balance_snapshots (
    id               bigserial PRIMARY KEY,
    user_id          bigint NOT NULL REFERENCES kisaan_users (id),
    balance          numeric(16,4) NOT NULL,
    snapshot_type    varchar(20) NOT NULL DEFAULT 'monthly',
    taken_at         timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_audit_logs (
    id          bigserial PRIMARY KEY,
    user_id     bigint REFERENCES kisaan_users (id),
    shop_id     bigint REFERENCES kisaan_shops (id),
    action      varchar(60) NOT NULL,
    entity_type varchar(60) NOT NULL,
    entity_id   bigint,
    old_values  jsonb,
    new_values  jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_plan_usage (
    id                bigserial PRIMARY KEY,
    shop_id           bigint NOT NULL REFERENCES kisaan_shops (id),
    plan_id           integer NOT NULL REFERENCES kisaan_plans (id),
    period_start      timestamptz NOT NULL,
    transactions_used integer NOT NULL DEFAULT 0,
    amount_billed     numeric(10,2) NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (shop_id, period_start)
);

CREATE TABLE kisaan_shop_categories (
    id          bigserial PRIMARY KEY,
    shop_id     bigint NOT NULL REFERENCES kisaan_shops (id),
    category_id integer NOT NULL REFERENCES kisaan_categories (id),
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (shop_id, category_id)
);

CREATE TABLE kisaan_shop_products (
    id            bigserial PRIMARY KEY,
    shop_id       bigint NOT NULL REFERENCES kisaan_shops (id),
    product_id    integer NOT NULL REFERENCES kisaan_products (id),
    default_price numeric(10,2),
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (shop_id, product_id)
);

-- The migration runner's ledger.
CREATE TABLE _migrations (
    name        text PRIMARY KEY,
    executed_at timestamptz DEFAULT now()
);
