"""The public names of spikesim.rate: this is their only list."""

from .activations import (
    Linear as Linear,
    Quantised as Quantised,
    Rectified as Rectified,
    Sigmoid as Sigmoid,
    Softplus as Softplus,
    Table as Table,
    Tanh as Tanh,
    named as named,
)
from .cells.alif import (
    ALIFCell as ALIFCell,
)
from .cells.dale import (
    DaleRNN as DaleRNN,
)
from .cells.feed_forward import (
    FeedForward as FeedForward,
)
from .cells.gates import (
    effective_tau as effective_tau,
)
from .cells.gru import (
    GRU as GRU,
)
from .cells.leaky import (
    LeakyRNN as LeakyRNN,
)
from .cells.lif import (
    LIFCell as LIFCell,
)
from .cells.low_rank import (
    LowRankRNN as LowRankRNN,
)
from .cells.lstm import (
    LSTM as LSTM,
)
from .cells.mcculloch_pitts import (
    McCullochPitts as McCullochPitts,
)
from .cells.snu import (
    SNU as SNU,
)
from .cells.sublstm import (
    SubLSTM as SubLSTM,
)
from .eprop import (
    EProp as EProp,
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
from .losses import (
    cross_entropy as cross_entropy,
    firing_rate_cost as firing_rate_cost,
    l1 as l1,
    l2 as l2,
    metabolic as metabolic,
    squared as squared,
    vanishing as vanishing,
)
from .masks import (
    areas as areas,
)
from .network import (
    RateNetwork as RateNetwork,
)
from .optimizers import (
    SGD as SGD,
    Adam as Adam,
)
from .surrogates import (
    FastSigmoid as FastSigmoid,
    Gaussian as Gaussian,
    Triangle as Triangle,
)
from .tasks.context import (
    context_integration as context_integration,
)
from .tasks.decision import (
    perceptual_decision as perceptual_decision,
)
from .tasks.digits import (
    digits as digits,
)
from .tasks.flipflop import (
    flipflop as flipflop,
)
from .tasks.go_nogo import (
    go_nogo as go_nogo,
)
from .tasks.kim import (
    kim_go_nogo as kim_go_nogo,
    kim_mante as kim_mante,
)
from .tasks.path_integration import path_integration as path_integration
from .tasks.sine import (
    sine as sine,
)
from .tasks.trials import (
    Task as Task,
    Trials as Trials,
)
from .tasks.xor import (
    xor as xor,
)
from .training import (
    respond as respond,
    train as train,
)
from .workspace import (
    Workspace as Workspace,
)
