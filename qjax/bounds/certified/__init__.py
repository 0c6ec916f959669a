"""Certified numerics: what is said here is proved in ball or exact arithmetic."""

from qjax.bounds.certified.box_certificate import BoxCertificate as BoxCertificate
from qjax.bounds.certified.box_certificate import read_certificate as read_certificate
from qjax.bounds.certified.boxes import certify as certify
from qjax.bounds.certified.boxes import replay as replay
from qjax.bounds.certified.claims import Box as Box
from qjax.bounds.certified.claims import Claim as Claim
from qjax.bounds.certified.claims import HalfSpace as HalfSpace
from qjax.bounds.certified.claims import state_claim as state_claim
from qjax.bounds.certified.damping_duals import DampingCertificate as DampingCertificate
from qjax.bounds.certified.damping_duals import DualPoint as DualPoint
from qjax.bounds.certified.damping_duals import check_dual as check_dual
from qjax.bounds.certified.damping_duals import damping_dual as damping_dual
from qjax.bounds.certified.damping_duals import (
    damping_dual_certificate as damping_dual_certificate,
)
from qjax.bounds.certified.damping_duals import (
    damping_dual_identities as damping_dual_identities,
)
from qjax.bounds.certified.depolarizing_facts import (
    BlockContraction as BlockContraction,
)
from qjax.bounds.certified.depolarizing_facts import (
    assisted_insert_is_tight as assisted_insert_is_tight,
)
from qjax.bounds.certified.depolarizing_facts import (
    block_contraction as block_contraction,
)
from qjax.bounds.certified.depolarizing_facts import (
    enclose_assisted_capacity as enclose_assisted_capacity,
)
from qjax.bounds.certified.doeblin import DoeblinCertificate as DoeblinCertificate
from qjax.bounds.certified.doeblin import check_minorization as check_minorization
from qjax.bounds.certified.doeblin import doeblin_certificate as doeblin_certificate
from qjax.bounds.certified.doeblin import doeblin_identities as doeblin_identities
from qjax.bounds.certified.doeblin import doeblin_weights as doeblin_weights
from qjax.bounds.certified.enclose import enclose as enclose
from qjax.bounds.certified.intervals import Interval as Interval
from qjax.bounds.certified.intervals import interval as interval
from qjax.bounds.certified.noise_thresholds import LogBound as LogBound
from qjax.bounds.certified.noise_thresholds import Threshold as Threshold
from qjax.bounds.certified.noise_thresholds import (
    certify_log_bound as certify_log_bound,
)
from qjax.bounds.certified.noise_thresholds import (
    certify_threshold as certify_threshold,
)
from qjax.bounds.certified.noise_thresholds import (
    certify_threshold_table as certify_threshold_table,
)
from qjax.bounds.certified.noise_thresholds import (
    excess_is_concave as excess_is_concave,
)
from qjax.bounds.certified.noise_thresholds import (
    near_zero_inequality as near_zero_inequality,
)
from qjax.bounds.certified.psd import Inertia as Inertia
from qjax.bounds.certified.psd import RationalMatrix as RationalMatrix
from qjax.bounds.certified.psd import exact_inertia as exact_inertia
from qjax.bounds.certified.psd import (
    is_positive_semidefinite as is_positive_semidefinite,
)
from qjax.bounds.certified.psd import rounded_hermitian as rounded_hermitian
from qjax.bounds.certified.psd import smallest_shift as smallest_shift
from qjax.bounds.certified.qrac_duals import QracDual as QracDual
from qjax.bounds.certified.qrac_duals import certify_qrac_dual as certify_qrac_dual
from qjax.bounds.certified.qrac_duals import check_qrac_dual as check_qrac_dual
from qjax.bounds.certified.roots import RootEnclosure as RootEnclosure
from qjax.bounds.certified.roots import (
    enclose_explained_variance as enclose_explained_variance,
)
from qjax.bounds.certified.roots import enclose_root as enclose_root
from qjax.bounds.certified.scalar_core import certify_scalar_core as certify_scalar_core
from qjax.bounds.certified.scalar_core import replay_scalar_core as replay_scalar_core
from qjax.bounds.certified.scalar_core import scalar_core_claim as scalar_core_claim
from qjax.bounds.certified.scalar_core import stored_scalar_core as stored_scalar_core
from qjax.bounds.certified.spectra import enclose_eigenvalues as enclose_eigenvalues
from qjax.bounds.certified.spectra import enclose_entropy as enclose_entropy
from qjax.bounds.certified.spectra import (
    enclose_relative_entropy_to_mixed as enclose_relative_entropy_to_mixed,
)
from qjax.bounds.certified.spectra import (
    enclose_shannon_entropy as enclose_shannon_entropy,
)
from qjax.bounds.certified.tiling import tiles_exactly as tiles_exactly
