-- The shop's orders database. Dates are ISO texts (2026-03-14), money is in euros.
CREATE TABLE customers (
    customer_id    INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    email          TEXT NOT NULL,
    street         TEXT NOT NULL,
    postcode       TEXT NOT NULL,
    city           TEXT NOT NULL,
    payment_method TEXT NOT NULL,            -- credit card, direct debit, paypal, bank transfer
    payment_detail TEXT                      -- such as 'ending in 4417'; null for bank transfer
);
CREATE TABLE products (
    product_id     INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    category       TEXT NOT NULL,
    model_number   TEXT NOT NULL,
    firmware       TEXT,                     -- newest version; null for devices without firmware
    price_eur      REAL NOT NULL,
    warranty_years INTEGER NOT NULL
);
CREATE TABLE orders (
    order_id     INTEGER PRIMARY KEY,
    order_number INTEGER NOT NULL UNIQUE,    -- customers write it as OS-20417
    customer_id  INTEGER NOT NULL REFERENCES customers,
    ordered_on   TEXT NOT NULL,
    status       TEXT NOT NULL               -- processing, shipped, delivered, returned, cancelled
);
CREATE TABLE order_items (
    order_id       INTEGER NOT NULL REFERENCES orders,
    product_id     INTEGER NOT NULL REFERENCES products,
    quantity       INTEGER NOT NULL,
    unit_price_eur REAL NOT NULL,
    serial_number  TEXT NOT NULL,            -- of the first piece
    warranty_until TEXT NOT NULL,
    PRIMARY KEY (order_id, product_id)
);
CREATE TABLE subscriptions (
    subscription_id   INTEGER PRIMARY KEY,
    customer_id       INTEGER NOT NULL REFERENCES customers,
    plan              TEXT NOT NULL,         -- Care, Care Plus, Filter Club, Bean Club, Cam Cloud
    monthly_price_eur REAL NOT NULL,
    state             TEXT NOT NULL,         -- active, paused, cancelled
    started_on        TEXT NOT NULL,
    next_charge_on    TEXT,                  -- null unless active
    cancellable_from  TEXT NOT NULL
);
CREATE TABLE invoices (
    invoice_number TEXT PRIMARY KEY,
    customer_id    INTEGER NOT NULL REFERENCES customers,
    order_id       INTEGER REFERENCES orders,  -- null for a subscription's invoice
    subscription_id INTEGER REFERENCES subscriptions,
    issued_on      TEXT NOT NULL,
    due_on         TEXT NOT NULL,
    amount_eur     REAL NOT NULL,
    state          TEXT NOT NULL,            -- paid, open
    paid_on        TEXT,
    paid_by        TEXT                      -- payment method
);
CREATE TABLE refunds (
    refund_id    INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL REFERENCES customers,
    order_id     INTEGER NOT NULL REFERENCES orders,
    amount_eur   REAL NOT NULL,
    state        TEXT NOT NULL,              -- requested, approved, paid, declined
    requested_on TEXT NOT NULL,
    paid_on      TEXT
);
CREATE TABLE shipments (
    shipment_id     INTEGER PRIMARY KEY,
    order_id        INTEGER NOT NULL REFERENCES orders,
    carrier         TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    shipped_on      TEXT NOT NULL,
    expected_on     TEXT NOT NULL,
    delivered_on    TEXT
);
CREATE INDEX orders_of_customer ON orders (customer_id, ordered_on);
CREATE INDEX invoices_of_customer ON invoices (customer_id, issued_on);
CREATE INDEX shipments_of_order ON shipments (order_id);
