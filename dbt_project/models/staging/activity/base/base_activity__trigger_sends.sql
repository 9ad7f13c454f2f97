{{ stored_once(source('raw_activity', 'trigger_sends'), 'trigger_id', 'sent_at') }}
