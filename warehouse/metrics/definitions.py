"""Read what metrics there are from dbt's manifest, and find one by what people call it."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractors.errors import ConfigError

# From fine to coarse; what is counted by month cannot be told by day.
GRAINS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class Metric:
    """A named measure.

    `unit` is `count`, `ratio`, `reporting_currency` or `payout_currency`; `needs` the dimension
    over whose values it may not be summed; `dimensions` are by their short names, each with the
    name that MetricFlow knows it by; `grain` is the finest time that it can be told by; `ratio_of`
    are numerator and denominator, none for a sum; `paid_by` is the one of them that every campaign
    must have to be part of the ratio; `table` holds its rows, `columns` the expression of each
    dimension in it, and `day` that of the time.
    """

    name: str
    label: str
    description: str
    unit: str
    short: str | None
    needs: str | None
    ratio_of: tuple[str, ...]
    dimensions: Mapping[str, str]
    grain: str
    paid_by: str | None
    table: tuple[str, str]
    columns: Mapping[str, str]
    day: str

    def grains(self) -> tuple[str, ...]:
        """Return the times that it can be grouped by."""
        return GRAINS[GRAINS.index(self.grain) :]

    def groups(self) -> tuple[str, ...]:
        """Return all that it can be grouped by."""
        return (*self.dimensions, *self.grains())


@dataclass(frozen=True, slots=True)
class Definitions:
    """The metrics by name, and the parts of dbt's manifest that they are from."""

    metrics: Mapping[str, Metric]
    manifest: Mapping[str, Any]

    def metric(self, name: str) -> Metric:
        """Return a metric by its name or short name, in any case; ConfigError names near ones."""
        asked = name.lower().replace("-", "_")
        by_short = {m.short.lower(): m for m in self.metrics.values() if m.short}
        if found := self.metrics.get(asked) or by_short.get(asked):
            return found
        near = nearest(asked, [*self.metrics, *by_short])
        raise ConfigError(
            f"metric {name} does not exist{did_you_mean(near)}; `warehouse metrics` lists all"
        )


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three known names that are like one, or hold it, the likest first."""
    names = sorted(known)
    holding = [other for other in names if len(name) > 2 and name in other]
    like = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return list(dict.fromkeys([*like, *holding]))[:3]


def did_you_mean(near: Sequence[str]) -> str:
    """Return the end of a sentence that offers names, nothing where there are none."""
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def read(path: Path) -> Definitions:
    """Return the metrics of a dbt manifest; ConfigError where the project defines none."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    documents = {one["name"]: one for one in whole["metrics"].values()}
    if not documents:
        raise ConfigError("the dbt project defines no metrics")
    models = {one["name"]: one for one in whole["semantic_models"].values()}
    measured = {
        measure["name"]: model for model in models.values() for measure in model["measures"]
    }
    metrics = {name: _metric(document, documents, measured) for name, document in documents.items()}
    parts = {
        "metrics": list(documents.values()),
        "semantic_models": list(models.values()),
        "time_spines": [_time_spine(node) for node in whole["nodes"].values() if _is_spine(node)],
    }
    return Definitions(metrics, parts)


def _is_spine(node: Mapping[str, Any]) -> bool:
    return bool(node.get("time_spine"))


def _time_spine(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a calendar as semantic manifests hold it; MetricFlow asks for one in any case."""
    column = node["time_spine"]["standard_granularity_column"]
    relation = {"schema_name": node["schema"], "alias": node["alias"]}
    grain = node["columns"][column]["granularity"]
    return {
        "node_relation": relation,
        "primary_column": {"name": column, "time_granularity": grain},
    }


def _metric(
    document: Mapping[str, Any],
    documents: Mapping[str, Mapping[str, Any]],
    measured: Mapping[str, Mapping[str, Any]],
) -> Metric:
    parameters = document["type_params"]
    inputs = [
        parameters[part]["name"]
        for part in ("numerator", "denominator")
        if document["type"] == "ratio"
    ]
    models = [
        measured[documents[name]["type_params"]["measure"]["name"]]
        for name in inputs or [document["name"]]
    ]
    found = [_dimensions(model) for model in models]
    grains = [_grain(model) for model in models]
    meta = document["config"]["meta"]
    if "unit" not in meta:
        raise ConfigError(
            f"metric {document['name']} of the last run's dbt project has no unit (config: meta:);"
            " run `warehouse run`, which reads the project anew"
        )
    [relation] = {tuple(sorted(model["node_relation"].items())) for model in models}
    place = dict(relation)
    [time] = [one for one in models[0]["dimensions"] if one["type"] == "time"]
    return Metric(
        name=document["name"],
        label=document["label"],
        description=document["description"],
        unit=meta["unit"],
        short=meta.get("short"),
        needs=meta.get("needs"),
        ratio_of=tuple(inputs),
        dimensions=dict(sorted(set.intersection(*(set(one.items()) for one in found)))),
        grain=max(grains, key=GRAINS.index),
        paid_by=meta.get("paid_by"),
        table=(place["schema_name"], place["alias"]),
        columns={
            one["name"]: one.get("expr") or one["name"]
            for one in models[0]["dimensions"]
            if one["type"] == "categorical"
        },
        day=time.get("expr") or time["name"],
    )


def _dimensions(model: Mapping[str, Any]) -> dict[str, str]:
    return {
        dimension["name"]: f"{model['primary_entity']}__{dimension['name']}"
        for dimension in model["dimensions"]
        if dimension["type"] == "categorical"
    }


def _grain(model: Mapping[str, Any]) -> str:
    [time] = [one for one in model["dimensions"] if one["type"] == "time"]
    return time["type_params"]["time_granularity"]
