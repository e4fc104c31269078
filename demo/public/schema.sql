-- An installation made from the public schema, as it is met in the field: PostgreSQL 13 to 18, an empty database, schema
-- public. It differs from ../schema.sql in what a sale keeps (total_sale_value and shop_commission; no total_amount, no
-- commission_amount, no product_id), and in a dozen tables that the other installation does not have. Later tables were made
-- by hand, because the runner has been stuck at its first file of 2025-10-18 ever since.

CREATE TYPE enum_kisaan_users_role AS ENUM ('superadmin', 'owner', 'farmer', 'buyer');
CREATE TYPE enum_kisaan_users_status AS ENUM ('active', 'inactive', 'suspended');
CREATE TYPE enum_kisaan_shops_status AS ENUM ('active', 'inactive', 'suspended');
CREATE TYPE enum_kisaan_plans_billing_cycle AS ENUM ('monthly', 'quarterly', 'yearly');
CREATE TYPE enum_kisaan_payments_payer_type AS ENUM
    ('farmer', 'buyer', 'shop', 'external', 'BUYER', 'SHOP', 'FARMER', 'EXTERNAL');
CREATE TYPE enum_kisaan_payments_payee_type AS ENUM
    ('farmer', 'buyer', 'shop', 'external', 'BUYER', 'SHOP', 'FARMER', 'EXTERNAL');
-- COMPLETED came with the schema, PAID with the program: only PAID is counted.
CREATE TYPE enum_kisaan_payments_status AS ENUM ('PENDING', 'COMPLETED', 'FAILED', 'CANCELLED', 'PAID');
CREATE TYPE enum_kisaan_payments_method AS ENUM
    ('cash', 'upi', 'bank_transfer', 'card', 'cheque', 'CASH', 'UPI', 'BANK_TRANSFER', 'CARD', 'CHEQUE');
CREATE TYPE enum_kisaan_commissions_type AS ENUM ('percentage', 'fixed');
CREATE TYPE enum_kisaan_credits_status AS ENUM ('active', 'repaid', 'overdue', 'written_off');
CREATE TYPE enum_kisaan_settlements_reason AS ENUM ('overpayment', 'underpayment', 'adjustment', 'refund');
CREATE TYPE enum_kisaan_settlements_status AS ENUM ('pending', 'settled', 'cancelled');

-- Two ledgers of migrations: Sequelize's own, and the runner's.
CREATE TABLE "SequelizeMeta" (name varchar(255) NOT NULL PRIMARY KEY);
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());

-- One price a plan; other installations have monthly_price, quarterly_price and yearly_price beside it.
CREATE TABLE kisaan_plans (
    id                    serial PRIMARY KEY,
    name                  varchar(100) NOT NULL UNIQUE,
    description           text,
    price                 numeric(10,2),
    billing_cycle         enum_kisaan_plans_billing_cycle DEFAULT 'monthly',
    max_farmers           integer,
    max_buyers            integer,
    max_transactions      integer,
    data_retention_months integer,
    features              text NOT NULL DEFAULT '[]',
    is_active             boolean NOT NULL DEFAULT true,
    created_at            timestamptz DEFAULT now(),
    updated_at            timestamptz DEFAULT now()
);

CREATE TABLE kisaan_categories (
    id          serial PRIMARY KEY,
    name        varchar(100) NOT NULL UNIQUE,
    description text,
    status      varchar(255),
    created_at  timestamptz DEFAULT now(),
    updated_at  timestamptz DEFAULT now()
);

CREATE TABLE kisaan_users (
    id                     bigserial PRIMARY KEY,
    username               varchar(255) NOT NULL UNIQUE,
    password               varchar(255) NOT NULL,
    role                   enum_kisaan_users_role NOT NULL,
    shop_id                bigint,
    contact                varchar(255),
    email                  varchar(255),
    firstname              varchar(255),
    status                 enum_kisaan_users_status NOT NULL DEFAULT 'active',
    balance                numeric(12,2) NOT NULL DEFAULT 0,
    cumulative_value       numeric(18,2) NOT NULL DEFAULT 0,
    custom_commission_rate numeric(5,2),
    created_by             bigint,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    -- The opposite of what migration 20251027_01 states of owners.
    CONSTRAINT shop_id_required_for_roles CHECK (role = 'superadmin' OR shop_id IS NOT NULL)
);

CREATE TABLE kisaan_shops (
    id              bigserial PRIMARY KEY,
    name            varchar(255) NOT NULL,
    owner_id        bigint NOT NULL,
    plan_id         integer,
    location        text,
    email           text,
    commission_rate numeric(10,2) DEFAULT 0,        -- per cent, though it is declared like an amount
    settings        jsonb,
    address         text,
    contact         varchar(255),
    status          enum_kisaan_shops_status NOT NULL DEFAULT 'active',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_products (
    id            serial PRIMARY KEY,
    name          varchar(100) NOT NULL,
    category_id   integer NOT NULL,
    description   text,
    price         numeric(10,2),
    record_status varchar(255),
    unit          varchar(20),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX kisaan_products_name_category_unique ON kisaan_products (name, category_id);

CREATE TABLE kisaan_transactions (
    id               serial PRIMARY KEY,
    shop_id          bigint NOT NULL,
    farmer_id        bigint NOT NULL,
    buyer_id         bigint NOT NULL,
    category_id      integer NOT NULL,
    product_name     varchar(255) NOT NULL,
    quantity         numeric(12,2) NOT NULL,
    unit_price       numeric(12,2) NOT NULL,
    total_sale_value numeric(12,2) NOT NULL,
    shop_commission  numeric(12,2) NOT NULL,
    farmer_earning   numeric(12,2) NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_payments (
    id              bigserial PRIMARY KEY,
    transaction_id  integer NOT NULL,
    shop_id         bigint,
    counterparty_id bigint,
    payer_type      enum_kisaan_payments_payer_type NOT NULL,
    payee_type      enum_kisaan_payments_payee_type NOT NULL,
    amount          numeric(12,2) NOT NULL,
    status          enum_kisaan_payments_status NOT NULL DEFAULT 'PENDING',
    payment_date    timestamptz,
    method          enum_kisaan_payments_method NOT NULL,
    notes           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_commissions (
    id         bigserial PRIMARY KEY,
    shop_id    bigint,                              -- relaxed by hand: NULL is the house's default
    rate       numeric(5,2) NOT NULL,
    type       enum_kisaan_commissions_type NOT NULL DEFAULT 'percentage',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- Somebody had read that duplicates come back, and forgot that two NULLs are never equal.
CREATE UNIQUE INDEX kisaan_commissions_once ON kisaan_commissions (shop_id, rate, type);

CREATE TABLE payment_allocations (
    id               serial PRIMARY KEY,
    payment_id       integer NOT NULL,
    transaction_id   integer NOT NULL,
    allocated_amount numeric(15,2) NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_transaction_ledger (
    id             bigserial PRIMARY KEY,
    transaction_id bigint,
    user_id        bigint NOT NULL,
    role           varchar(20) NOT NULL,
    delta_amount   numeric(12,2) NOT NULL,
    balance_before numeric(12,2),
    balance_after  numeric(12,2),
    reason_code    varchar(40) NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- What other installations call kisaan_balance_snapshots.
CREATE TABLE balance_snapshots (
    id               serial PRIMARY KEY,
    user_id          bigint NOT NULL,
    balance_type     varchar(20) NOT NULL DEFAULT 'farmer',
    previous_balance numeric(16,4) NOT NULL DEFAULT 0,
    amount_change    numeric(16,4) NOT NULL DEFAULT 0,
    new_balance      numeric(16,4) NOT NULL DEFAULT 0,
    transaction_type varchar(40) NOT NULL DEFAULT 'adjustment',
    reference_id     bigint,
    reference_type   varchar(40),
    description      text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_credits (
    id         bigserial PRIMARY KEY,
    user_id    bigint NOT NULL,
    shop_id    bigint NOT NULL,
    amount     numeric(12,2) NOT NULL,
    status     enum_kisaan_credits_status NOT NULL DEFAULT 'active',
    due_date   date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_settlements (
    id              bigserial PRIMARY KEY,
    shop_id         bigint NOT NULL,
    user_id         bigint NOT NULL,
    transaction_id  integer,
    amount          numeric(10,2) NOT NULL,
    reason          enum_kisaan_settlements_reason NOT NULL,
    status          enum_kisaan_settlements_status NOT NULL DEFAULT 'pending',
    settlement_date timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE TABLE kisaan_expenses (
    id                bigserial PRIMARY KEY,
    shop_id           bigint NOT NULL,
    user_id           bigint NOT NULL,
    expense_date      date DEFAULT current_date,
    amount            numeric(12,2) NOT NULL,
    type              varchar(20) NOT NULL DEFAULT 'expense',
    category          varchar(50),
    description       text,
    transaction_id    bigint,
    status            varchar(20) NOT NULL DEFAULT 'pending',
    ledger_entry_id   bigint UNIQUE,
    created_by        bigint,
    deleted_at        timestamptz,
    total_amount      numeric(12,2),
    allocated_amount  numeric(12,2) DEFAULT 0,
    remaining_amount  numeric(12,2),
    allocation_status varchar(30) DEFAULT 'unallocated',
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE expense_settlements (
    id         bigserial PRIMARY KEY,
    expense_id bigint NOT NULL,
    payment_id bigint,
    amount     numeric(12,2) NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    notes      text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_expense_allocations (
    id               bigserial PRIMARY KEY,
    expense_id       integer NOT NULL,
    transaction_id   integer,
    allocated_amount numeric(12,2) NOT NULL,
    allocation_type  varchar(30) NOT NULL,
    allocated_at     timestamptz DEFAULT now(),
    notes            text,
    created_at       timestamptz DEFAULT now()
);

CREATE TABLE kisaan_audit_logs (
    id          bigserial PRIMARY KEY,
    shop_id     bigint,
    user_id     bigint,
    action      varchar(50) NOT NULL,
    entity_type varchar(50) NOT NULL,
    entity_id   bigint NOT NULL,
    old_values  text,
    new_values  text,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_plan_usage (
    id         bigserial PRIMARY KEY,
    shop_id    bigint NOT NULL,
    plan_id    integer NOT NULL,
    start_date date NOT NULL,
    end_date   date,
    is_active  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_shop_categories (
    id          serial PRIMARY KEY,
    shop_id     bigint NOT NULL,
    category_id integer NOT NULL,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX kisaan_shop_categories_once ON kisaan_shop_categories (shop_id, category_id);

CREATE TABLE kisaan_shop_products (
    id         serial PRIMARY KEY,
    shop_id    bigint NOT NULL,
    product_id integer NOT NULL,
    is_active  boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX kisaan_shop_products_once ON kisaan_shop_products (shop_id, product_id);

CREATE TABLE farmer_product_assignments (
    id         bigserial PRIMARY KEY,
    farmer_id  bigint NOT NULL REFERENCES kisaan_users (id) ON DELETE CASCADE,
    product_id bigint NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kisaan_features (
    id              serial PRIMARY KEY,
    code            varchar(100) NOT NULL UNIQUE,
    name            varchar(150) NOT NULL,
    category        varchar(60),
    description     text,
    default_enabled boolean NOT NULL DEFAULT false,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now()
);
CREATE TABLE kisaan_plan_features (
    plan_id      integer NOT NULL,
    feature_code varchar(100) NOT NULL,
    enabled      boolean NOT NULL DEFAULT true,
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    PRIMARY KEY (plan_id, feature_code)
);
CREATE TABLE kisaan_user_feature_overrides (
    user_id      bigint NOT NULL,
    feature_code varchar(100) NOT NULL,
    enabled      boolean NOT NULL,
    reason       text,
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    PRIMARY KEY (user_id, feature_code)
);

-- A farmer's ledger in a shop, three times over: entries, the balance that they add up to, and a simpler book.
CREATE TABLE kisaan_ledger_entries (
    id             bigserial PRIMARY KEY,
    user_id        bigint NOT NULL REFERENCES kisaan_users (id),
    shop_id        bigint NOT NULL REFERENCES kisaan_shops (id),
    direction      varchar(10) NOT NULL,            -- CREDIT: the person is owed it; DEBIT: he owes it
    amount         numeric(15,2) NOT NULL,
    type           varchar(50) NOT NULL,
    reference_type varchar(50),
    reference_id   bigint,
    description    text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     bigint
);
CREATE TABLE kisaan_user_balances (
    id           bigserial PRIMARY KEY,
    user_id      bigint NOT NULL REFERENCES kisaan_users (id),
    shop_id      bigint NOT NULL REFERENCES kisaan_shops (id),
    balance      numeric(15,2) NOT NULL DEFAULT 0,
    version      integer NOT NULL DEFAULT 0,
    last_updated timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, shop_id)
);
CREATE TABLE kisaan_ledger (
    id                serial PRIMARY KEY,
    shop_id           bigint NOT NULL REFERENCES kisaan_shops (id),
    farmer_id         bigint NOT NULL REFERENCES kisaan_users (id),
    amount            numeric(12,2) NOT NULL,
    commission_amount numeric(12,2) DEFAULT 0,
    net_amount        numeric(12,2) DEFAULT 0,
    type              varchar(10) NOT NULL,
    category          varchar(20) NOT NULL,
    notes             text,
    created_at        timestamp DEFAULT now(),      -- the one clock without a zone
    created_by        bigint NOT NULL
);

-- Foreign keys are few: the schema's own ALTER TABLE ... ADD CONSTRAINT IF NOT EXISTS is no PostgreSQL, and was never run.
CREATE INDEX kisaan_users_shop_id ON kisaan_users (shop_id);
CREATE INDEX kisaan_shops_owner_id ON kisaan_shops (owner_id);
CREATE INDEX kisaan_transactions_shop_id ON kisaan_transactions (shop_id);
CREATE INDEX kisaan_transactions_farmer_id ON kisaan_transactions (farmer_id);
CREATE INDEX kisaan_transactions_buyer_id ON kisaan_transactions (buyer_id);
CREATE INDEX kisaan_transactions_created_at ON kisaan_transactions (created_at);
CREATE INDEX kisaan_payments_transaction_id ON kisaan_payments (transaction_id);
CREATE INDEX kisaan_payments_status ON kisaan_payments (status);
CREATE INDEX kisaan_payments_shop_id ON kisaan_payments (shop_id);
CREATE INDEX payment_allocations_payment_id ON payment_allocations (payment_id);
CREATE INDEX payment_allocations_transaction_id ON payment_allocations (transaction_id);
CREATE INDEX kisaan_ledger_entries_user_shop ON kisaan_ledger_entries (user_id, shop_id);
