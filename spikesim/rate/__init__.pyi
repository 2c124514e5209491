"""The public names of spikesim.rate: this is their only list."""

from .activations import (
    Linear as Linear,
    Rectified as Rectified,
    Sigmoid as Sigmoid,
    Softplus as Softplus,
    Table as Table,
    Tanh as Tanh,
    named as named,
)
from .eprop import (
    EProp as EProp,
)
from .feedforward import (
    FeedForward as FeedForward,
    McCullochPitts as McCullochPitts,
)
from .files import (
    History as History,
    load as load,
    load_history as load_history,
    model_info as model_info,
    save as save,
)
from .force import (
    Force as Force,
)
from .gated import (
    GRU as GRU,
    LSTM as LSTM,
    SubLSTM as SubLSTM,
    effective_tau as effective_tau,
)
from .leaky import (
    DaleRNN as DaleRNN,
    LeakyRNN as LeakyRNN,
    LowRankRNN as LowRankRNN,
    areas as areas,
)
from .losses import (
    cross_entropy as cross_entropy,
    l1 as l1,
    l2 as l2,
    metabolic as metabolic,
    squared as squared,
    vanishing as vanishing,
)
from .network import (
    RateNetwork as RateNetwork,
)
from .optimizers import (
    SGD as SGD,
    Adam as Adam,
)
from .spiking import (
    SNU as SNU,
    ALIFCell as ALIFCell,
    FastSigmoid as FastSigmoid,
    Gaussian as Gaussian,
    LIFCell as LIFCell,
    Triangle as Triangle,
    firing_rate_cost as firing_rate_cost,
)
from .tasks import (
    Task as Task,
    Trials as Trials,
    context_integration as context_integration,
    digits as digits,
    flipflop as flipflop,
    go_nogo as go_nogo,
    perceptual_decision as perceptual_decision,
    psychometric as psychometric,
    sine as sine,
    slopes as slopes,
    xor as xor,
)
from .training import (
    respond as respond,
    train as train,
)
from .workspace import (
    Workspace as Workspace,
)
