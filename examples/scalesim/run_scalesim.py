"""Runs SCALE-Sim without its traces: they take most of its time, and its command line cannot be told to leave them out."""

from scalesim.scale_sim import scalesim

files = {"config": "settings.cfg", "topology": "layers.csv", "layout": "layout.csv"}
scalesim(save_disk_space=True, verbose=False, input_type_gemm=False, **files).run_scale(top_path="out")
