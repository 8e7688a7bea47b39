-- Copies one customer's rows, and the catalogue, from the shop's file into the memory that a model's statement sees.
INSERT INTO main.products SELECT * FROM shop.products;
INSERT INTO main.customers SELECT * FROM shop.customers WHERE customer_id = @customer_id;
INSERT INTO main.orders SELECT * FROM shop.orders WHERE customer_id = @customer_id;
INSERT INTO main.order_items SELECT * FROM shop.order_items WHERE order_id IN (SELECT order_id FROM main.orders);
INSERT INTO main.subscriptions SELECT * FROM shop.subscriptions WHERE customer_id = @customer_id;
INSERT INTO main.invoices SELECT * FROM shop.invoices WHERE customer_id = @customer_id;
INSERT INTO main.refunds SELECT * FROM shop.refunds WHERE customer_id = @customer_id;
INSERT INTO main.shipments SELECT * FROM shop.shipments WHERE order_id IN (SELECT order_id FROM main.orders);
