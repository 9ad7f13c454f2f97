{% macro affiliate_rules() -%}
    {#- Each setting of affiliate_rules.csv: its number in docs/affiliate.md, its name, what its
        value is, and whether it can be off. A choice lists what it can be. -#}
    {{ return([
        {'number': 1, 'name': 'click_window_hours', 'type': 'integer', 'off': true},
        {'number': 1, 'name': 'no_plan_window_days', 'type': 'integer'},
        {'number': 2, 'name': 'cart_window_hours', 'type': 'integer', 'off': true},
        {'number': 2, 'name': 'cart_expiry_days', 'type': 'integer'},
        {'number': 3, 'name': 'click_choice', 'type': 'choice', 'choices': ['last', 'first']},
        {'number': 4, 'name': 'voiding_channels', 'type': 'text', 'off': true},
        {'number': 5, 'name': 'coupon_beats_click', 'type': 'switch'},
        {'number': 5, 'name': 'coupon_is_affiliate_id', 'type': 'switch'},
        {'number': 6, 'name': 'self_referral_by_email', 'type': 'switch'},
        {'number': 6, 'name': 'self_referral_by_device', 'type': 'switch'},
        {'number': 7, 'name': 'excluded_buyers', 'type': 'switch'},
        {'number': 8, 'name': 'returning_customer_rate', 'type': 'share', 'off': true},
        {'number': 10, 'name': 'rate_moment', 'type': 'choice', 'choices': ['order', 'click']},
        {'number': 12, 'name': 'tier_by', 'type': 'choice', 'choices': ['statement', 'off']},
        {'number': 14, 'name': 'cap_per_item', 'type': 'amount', 'off': true},
        {'number': 14, 'name': 'cap_per_order', 'type': 'amount', 'off': true},
        {'number': 14, 'name': 'cap_per_month', 'type': 'amount', 'off': true},
        {'number': 15, 'name': 'vat_rate', 'type': 'share'},
        {'number': 15, 'name': 'base_less_discounts', 'type': 'switch'},
        {'number': 21, 'name': 'delivery_days', 'type': 'integer'},
        {'number': 25, 'name': 'chargeback_holds', 'type': 'switch'},
        {
            'number': 30,
            'name': 'affiliate_status',
            'type': 'choice',
            'choices': ['shop', 'active', 'paused', 'terminated'],
        },
        {'number': 34, 'name': 'duplicate_order_days', 'type': 'integer', 'off': true},
    ]) }}
{%- endmacro %}
