"""How an intervention is meant to work, as data: `data/plan/logic_models.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hhp_stats.errors import PlanError, UnknownName
from hhp_stats.plan.catalogue import check_study, study_names
from hhp_stats.plan.nearest import allowed
from hhp_stats.plan.records import known_tables, records_of

LOGIC_MODELS = "data/plan/logic_models.toml"
START, MIDDLE, END = "start", "middle", "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in which the offer is meant to reach the outcome in the middle."""

    id: str
    study: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalStep:
    """One box of the model: on a route, or at its start, middle or end."""

    id: str
    study: str
    place: str  # a route's id, or start, middle, end
    letter: str  # as the protocol letters it, or ""
    words: str
    measured: bool  # whether any record or survey of the trial measures it

    @property
    def named(self) -> str:
        """The words with the protocol's letter before them."""
        return f"{self.letter}. {self.words}" if self.letter else self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicModel:
    """The routes of one study and the steps on them, in order."""

    routes: tuple[Route, ...]
    steps: tuple[CausalStep, ...]

    def at(self, place: str) -> tuple[CausalStep, ...]:
        """The steps of one place."""
        return tuple(step for step in self.steps if step.place == place)

    @property
    def between(self) -> tuple[CausalStep, ...]:
        """The steps on the routes."""
        return tuple(step for step in self.steps if step.place not in (START, MIDDLE, END))


def load_logic_model(root: Path, study: str) -> LogicModel:
    """The logic model of one study; refuses what `load_logic_models` refuses, and (UnknownName) a study without one."""
    models = load_logic_models(root)
    if study not in models:
        raise UnknownName(f"no logic model of {study!r} in {LOGIC_MODELS}. {allowed(models, study)}")
    return models[study]


def load_logic_models(root: Path) -> dict[str, LogicModel]:
    """The logic models by study.

    Refuses (PlanError) what `records_of` refuses, routes and steps of unknown studies, steps at a place that is no
    route of their study, a route without steps, and a model that does not begin and meet in one step or leads nowhere.
    """
    tables = known_tables(root, LOGIC_MODELS, ("route", "box"))
    routes = records_of(tables, file=LOGIC_MODELS, key="route", kind=Route, within=("study",), optional=True)
    steps = records_of(
        tables,
        file=LOGIC_MODELS,
        key="box",
        kind=CausalStep,
        within=("study",),
        optional=True,
        may_be_empty=frozenset({"letter"}),
    )
    known = study_names(root)
    entries: tuple[Route | CausalStep, ...] = (*routes, *steps)
    for entry in entries:
        check_study(LOGIC_MODELS, f"{'route' if isinstance(entry, Route) else 'box'} {entry.id}", entry.study, known)
    return {
        study: _checked(
            study,
            LogicModel(
                routes=tuple(route for route in routes if route.study == study),
                steps=tuple(step for step in steps if step.study == study),
            ),
        )
        for study in dict.fromkeys(entry.study for entry in entries)
    }


def _checked(study: str, model: LogicModel) -> LogicModel:
    places = (START, *(route.id for route in model.routes), MIDDLE, END)
    for step in model.steps:
        if step.place not in places:
            raise PlanError(LOGIC_MODELS, f"box {step.id}", f"stands at {step.place!r}.", allowed(places, step.place))
    for place in places:
        found = len(model.at(place))
        if not found or (place in (START, MIDDLE) and found > 1):
            raise PlanError(
                LOGIC_MODELS,
                place,
                f"has {found} boxes in the model of {study}.",
                "Give start and middle one each, every route and the end at least one.",
            )
    return model
