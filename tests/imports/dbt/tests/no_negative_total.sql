{{ config(severity='warn', error_if='>10') }}
-- an order never owes the customer money
select id, total
from {{ ref('orders') }}
where total < 0
