"""The public names of spikesim.plots: this is their only list."""

from .canvas import (
    COLOURS as COLOURS,
    DPI as DPI,
    MARGIN as MARGIN,
    WIDTH as WIDTH,
    blank as blank,
    check_path as check_path,
    save as save,
    tidy as tidy,
)
from .conversion import certificate as certificate
from .correlograms import (
    coherence as coherence,
    correlogram as correlogram,
    correlogram_matrix as correlogram_matrix,
    pair_matrix as pair_matrix,
    spectrum as spectrum,
)
from .dynamics import (
    patterns as patterns,
    time_constants as time_constants,
    trajectories as trajectories,
)
from .intervals import (
    cv_distribution as cv_distribution,
    distance_matrix as distance_matrix,
    fano_curve as fano_curve,
    hazard as hazard,
    interval_histogram as interval_histogram,
)
from .phases import (
    compression as compression,
    field_coherence as field_coherence,
    glm_filters as glm_filters,
    phase_histogram as phase_histogram,
    phase_precession as phase_precession,
    rescaling as rescaling,
    triggered_average as triggered_average,
)
from .readouts import (
    codes as codes,
    confusion as confusion,
    decoded as decoded,
    latencies as latencies,
    psth as psth,
    rate_curves as rate_curves,
    tuning as tuning,
)
from .spikes import (
    overview as overview,
    raster as raster,
    rates as rates,
)
from .tasks import (
    behaviour as behaviour,
)
from .training import (
    learning_curve as learning_curve,
    training_overview as training_overview,
)
from .trials import (
    EXAMPLES as EXAMPLES,
    activity as activity,
    example_trials as example_trials,
)
from .variables import (
    report as report,
    responses as responses,
    traces as traces,
)
