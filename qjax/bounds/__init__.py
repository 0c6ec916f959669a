"""Bounds on quantum data structures, and a verifier that can refute them."""

from qjax.bounds.bound import Attack as Attack
from qjax.bounds.bound import Bound as Bound
from qjax.bounds.bound import Checked as Checked
from qjax.bounds.bound import Constant as Constant
from qjax.bounds.bound import Instance as Instance
from qjax.bounds.bound import Mutant as Mutant
from qjax.bounds.bound import RandomBatch as RandomBatch
from qjax.bounds.bound import Step as Step
from qjax.bounds.bound import Variable as Variable
from qjax.bounds.catalogue import BOUNDS as BOUNDS
from qjax.bounds.information import binary_entropy as binary_entropy
from qjax.bounds.information import binary_relative_entropy as binary_relative_entropy
from qjax.bounds.information import d as d
from qjax.bounds.information import depolarizing_capacity as depolarizing_capacity
from qjax.bounds.information import evaluate as evaluate
from qjax.bounds.information import h as h
from qjax.bounds.information import membership_information as membership_information
from qjax.bounds.memory.capacities import (
    damping_assisted_capacity as damping_assisted_capacity,
)
from qjax.bounds.memory.instances import STRUCTURES as STRUCTURES
from qjax.bounds.memory.instances import bit_vector as bit_vector
from qjax.bounds.memory.instances import bloom_filter as bloom_filter
from qjax.bounds.memory.instances import qrac as qrac
from qjax.bounds.memory.instances import repetition_code as repetition_code
from qjax.bounds.memory.instances import sic_filter as sic_filter
from qjax.bounds.memory.structure import QuantumDataStructure as QuantumDataStructure
from qjax.bounds.memory.structure import exact_statistics as exact_statistics
from qjax.bounds.memory.structure import sampled_acceptances as sampled_acceptances
from qjax.bounds.memory.structure import storage_noise as storage_noise
from qjax.bounds.model import STORED as STORED
from qjax.bounds.model import CellProbeModel as CellProbeModel
from qjax.bounds.proofs import proof_text as proof_text
from qjax.bounds.proofs import step_numbers as step_numbers
from qjax.bounds.replay import replay as replay
from qjax.bounds.replay import replayed_sides as replayed_sides
from qjax.bounds.reports.report import STATUSES as STATUSES
from qjax.bounds.reports.report import Report as Report
from qjax.bounds.reports.report import Witness as Witness
from qjax.bounds.reports.report_files import write_report as write_report
from qjax.bounds.stages.budget import BUDGETS as BUDGETS
from qjax.bounds.stages.budget import SMOKE as SMOKE
from qjax.bounds.stages.budget import Budget as Budget
from qjax.bounds.stages.lint import Finding as Finding
from qjax.bounds.stages.lint import lint as lint
from qjax.bounds.theorems.a1 import theorem_a1 as theorem_a1
from qjax.bounds.theorems.a2 import corollary_a2 as corollary_a2
from qjax.bounds.theorems.literal_a import literal_a as literal_a
from qjax.bounds.theorems.literal_b import literal_b as literal_b
from qjax.bounds.verify import verify as verify
