"""Runs SCALE-Sim without its traces, which its own command line cannot be told to leave out and which take most of its time."""

from scalesim.scale_sim import scalesim

scalesim(
    save_disk_space=True, verbose=False, config="settings.cfg", topology="layers.csv", layout="layout.csv", input_type_gemm=False
).run_scale(top_path="out")
