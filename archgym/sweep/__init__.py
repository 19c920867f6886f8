"""Many runs as one thing: read a spec, plan its runs, execute them, keep what they found."""

from __future__ import annotations

from archgym.sweep.plan import Plan, PlannedRun, describe_plan, make_plan, plan_runs
from archgym.sweep.spec import Spec, load_spec, spec_from_record

__all__ = ["Plan", "PlannedRun", "Spec", "describe_plan", "load_spec", "make_plan", "plan_runs", "spec_from_record"]
