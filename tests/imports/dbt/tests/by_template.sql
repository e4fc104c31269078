select id from {{ ref('orders') }} where total > {{ var('limit') }}
