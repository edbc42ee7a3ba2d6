"""What is known of a package's signature, and what the policy makes of it. Fails closed.

Verification itself (DSSE statement, trust chain) is not built yet: there is no trust root, so every
package is `unsigned`, also one that carries a statement nobody checked.
"""

from enum import StrEnum
from typing import assert_never

from wunder.plugins.policy import SignaturePolicy
from wunder.plugins.views import SignatureView

STATEMENT_NAME = "META/statement.dsse.json"


class SignatureVerdict(StrEnum):
    """The result of the one verify function; only `verified` is good."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    UNTRUSTED = "untrusted"  # signed by nobody we trust for this id
    BROKEN = "broken"  # the statement does not match the package
    EXPIRED = "expired"
    REVOKED = "revoked"


def verify_signature(has_statement: bool) -> tuple[SignatureVerdict, str]:
    """Return the verdict on a package, and words for it."""
    if has_statement:
        return (
            SignatureVerdict.UNSIGNED,
            "carries a statement, which this gateway cannot check: it holds no trust root",
        )
    return SignatureVerdict.UNSIGNED, "carries no signature"


def is_allowed(verdict: SignatureVerdict, policy: SignaturePolicy) -> bool:
    """Say whether a package may be installed and started under a policy."""
    match policy:
        case "enforce":
            return verdict is SignatureVerdict.VERIFIED
        case "warn":
            return verdict in (SignatureVerdict.VERIFIED, SignatureVerdict.UNSIGNED)
        case "off":
            return verdict is not SignatureVerdict.REVOKED
        case _:
            assert_never(policy)


def shown(has_statement: bool, policy: SignaturePolicy) -> SignatureView:
    """Return the verdict as console and API show it."""
    verdict, detail = verify_signature(has_statement)
    return SignatureView(verdict.value, policy, detail)
