"""Every service that the worker calls, on one runtime."""

from __future__ import annotations

from dataclasses import dataclass

from services.auth_service import AuthService
from services.change_service import ChangeService
from services.generation_service import GenerationService
from services.invoice_service import InvoiceService
from services.mail_service import MailService
from services.payment_service import PaymentService
from services.price_service import PriceService
from services.reconciliation_service import ReconciliationService
from services.refund_service import RefundService
from services.subscription_service import SubscriptionService
from services.wallet_service import WalletService
from services.webhook_service import WebhookService
from talkingphoto.runtime import Runtime


@dataclass(frozen=True)
class Services:
    """One of each; a test puts another in the place of one."""

    payments: PaymentService
    webhooks: WebhookService
    auth: AuthService
    generations: GenerationService
    letters: MailService
    changes: ChangeService
    refunds: RefundService
    plans: SubscriptionService
    prices: PriceService
    reconciliation: ReconciliationService
    wallets: WalletService
    invoices: InvoiceService


def services_of(runtime: Runtime) -> Services:
    """All of them on that runtime."""
    return Services(
        payments=PaymentService(runtime),
        webhooks=WebhookService(runtime),
        auth=AuthService(runtime),
        generations=GenerationService(runtime),
        letters=MailService(runtime),
        changes=ChangeService(runtime),
        refunds=RefundService(runtime),
        plans=SubscriptionService(runtime),
        prices=PriceService(runtime),
        reconciliation=ReconciliationService(runtime),
        wallets=WalletService(runtime),
        invoices=InvoiceService(runtime),
    )
