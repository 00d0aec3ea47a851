"""Makes a payment with a client that openapi-python-client generated from the API's document.

Arguments: the folder of the generated client, the server's URL, an API key, an account.
"""

import sys

folder, url, key, account = sys.argv[1:]
sys.path.insert(0, folder)

from lombard_client import AuthenticatedClient  # noqa: E402
from lombard_client.api.accounts import get_account  # noqa: E402
from lombard_client.api.payments import create_payment, get_payment  # noqa: E402
from lombard_client.models import CreatePayment, Payment  # noqa: E402

client = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)
order = CreatePayment.from_dict(
    {
        "amount": 1250,
        "currency": "GBP",
        "debtor": {"account": account},
        "creditor": {"name": "Ann Other", "sort_code": "200000", "account_number": "55779911"},
        "reference": "INV 1",
    }
)
made = create_payment.sync(client=client, body=order, idempotency_key="from-python", prefer="wait=5")
assert isinstance(made, Payment), made
again = create_payment.sync(client=client, body=order, idempotency_key="from-python")
assert isinstance(again, Payment) and again.id == made.id, again
read = get_payment.sync(client=client, id=made.id)
assert isinstance(read, Payment) and read.amount == 1250, read
assert str(read.status) == "CLEARED", read.status
balance = get_account.sync(client=client, id=account).balance
assert balance.debits_posted == 1250, balance
print(f"paid {made.id}: {read.status}")
