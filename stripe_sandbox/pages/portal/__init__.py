"""The customer portal: a customer's own pages for plans, cards, details and invoices.

Names a browser test may rely on, page by page; every address begins with the session's ``url``.

- The overview: headings "Your plan" (or "Your plans"), "Ways to pay", "Your details", "Invoices";
  in them the links "Change plan", "Cancel plan", "Add card", "Change details" and, for each
  invoice, "Invoice NUMBER" and "PDF"; the buttons "Keep plan", "Use this" and "Remove" (each named
  with what it is for, such as "Remove Visa ending 4242"). What was done stands in ``#done`` (role
  status). The link "Back to BRAND".
- ``/card``: ``number``, ``expiry``, ``cvc``, ``name``, the tick "Pay with this card from now on"
  (``prefer``), the button "Save card". A refusal stands in ``#refusal`` (role alert).
- ``/plan/SUBSCRIPTION``: one choice a price (``price``), the number "How many" (``quantity``), the
  button "See what changes"; then ``/plan/SUBSCRIPTION/confirm``: the table of what changes hands,
  the button "Change plan" or "Pay SUM and change plan".
- ``/cancel/SUBSCRIPTION``: the choice ``feedback``, the text ``comment``, the button "Cancel plan",
  the link "Keep plan".
- ``/details``: ``name``, ``email``, ``phone``, ``line1``, ``city``, ``state``, ``postal_code``,
  ``country``, those of shipping with ``shipping_`` before them, the button "Save details";
  ``tax_id_type``, ``tax_id``, the buttons "Add tax ID" and "Remove".

Everything goes through the verbs of the API, so the same events are sent.
"""
