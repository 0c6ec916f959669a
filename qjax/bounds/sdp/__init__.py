"""Semidefinite programs and see-saws of the bounds; cvxpy is the optional extra `sdp`.

Random access codes need NumPy only; `channel_beta` and `doeblin` need cvxpy.
"""

from qjax.bounds.sdp.channel_programs import ChannelBeta as ChannelBeta
from qjax.bounds.sdp.channel_programs import Doeblin as Doeblin
from qjax.bounds.sdp.channel_programs import channel_beta as channel_beta
from qjax.bounds.sdp.channel_programs import choi_matrix as choi_matrix
from qjax.bounds.sdp.channel_programs import doeblin as doeblin
from qjax.bounds.sdp.claims import access_program as access_program
from qjax.bounds.sdp.claims import beta_program as beta_program
from qjax.bounds.sdp.claims import doeblin_program as doeblin_program
from qjax.bounds.sdp.random_access import DualCertificate as DualCertificate
from qjax.bounds.sdp.random_access import RandomAccessCode as RandomAccessCode
from qjax.bounds.sdp.random_access import (
    mancinska_storgaard_success as mancinska_storgaard_success,
)
from qjax.bounds.sdp.random_access import nayak_success as nayak_success
from qjax.bounds.sdp.random_access import qrac_dual as qrac_dual
from qjax.bounds.sdp.random_access import qrac_seesaw as qrac_seesaw
from qjax.bounds.sdp.random_access import qrac_table as qrac_table
from qjax.bounds.sdp.rational_points import proved_beta as proved_beta
from qjax.bounds.sdp.rational_points import proved_doeblin as proved_doeblin
