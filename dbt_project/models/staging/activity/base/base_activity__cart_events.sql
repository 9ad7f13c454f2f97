{{ stored_once(source('raw_activity', 'cart_events'), 'event_id') }}
