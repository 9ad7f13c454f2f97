{{ last_delivered(source('raw_activity', 'campaign_events'), 'event_id') }}
