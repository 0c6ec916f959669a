"""Models in flax.nnx: the variational classifier and its classical baselines."""

from qjax.models.classifier import QuantumClassifier as QuantumClassifier
from qjax.models.classifier import angle_metric as angle_metric
from qjax.models.classifier import hybrid_loss as hybrid_loss
from qjax.models.dense import DenseNetwork as DenseNetwork
from qjax.models.fashion import Labelled as Labelled
from qjax.models.fashion import fashion_pca as fashion_pca
from qjax.models.fashion import fashion_split as fashion_split
from qjax.models.fashion import unit_norm as unit_norm
from qjax.models.pca import PCA as PCA
from qjax.models.pca import fit_pca as fit_pca
from qjax.models.training import accuracy as accuracy
from qjax.models.training import classifier_optimizer as classifier_optimizer
from qjax.models.training import count_parameters as count_parameters
from qjax.models.training import train as train
