"""``portable certify``: do trainings on two sides reach equivalent results over many seeds."""

from backends_matrix.callable_package import make_callable as _make_callable
from backends_matrix.certify.api import certify
from backends_matrix.certify.certificate import Certificate
from backends_matrix.certify.certificate_file import read_certificate
from backends_matrix.certify.margin import Margin
from backends_matrix.certify.settings import CertifySettings, Side
from backends_matrix.certify.verdict import Comparison, Verdict

__all__ = [
    "Certificate",
    "CertifySettings",
    "Comparison",
    "Margin",
    "Side",
    "Verdict",
    "certify",
    "read_certificate",
]

_make_callable(__name__, certify)
