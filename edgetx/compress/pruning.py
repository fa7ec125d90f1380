"""Structured pruning of a trained graph: what to remove, in what order, and how much."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from edgetx.compress.cost import Cost
from edgetx.compress.importance import gates, importance
from edgetx.errors import FitError
from edgetx.ir import Graph
from edgetx.ir.verify import FLOAT, verify
from edgetx.ops import Attention
from edgetx.passes.channels import ChannelGroup, channel_groups
from edgetx.passes.drop_branch import Branch, DropBranch, residual_branches
from edgetx.passes.pool_tokens import PoolTokens, poolable
from edgetx.passes.remove_channels import RemoveChannels
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule

CostOf = Callable[[Graph], Cost]
Progress = Callable[[str], None]

TOLERANCES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, float("inf"))
"""By how much of itself the loss may rise for one candidate, tried in turn until the graph is small enough."""
_BATCH = 64


@dataclass(frozen=True)
class Candidate:
    """What can be taken out of a graph at once: channels, a branch or half of the tokens; and how much it matters."""

    name: str
    groups: tuple[ChannelGroup, ...] = ()
    branch: Branch | None = None
    pooled: str | None = None
    importance: float = 0.0


@dataclass(frozen=True)
class Pruner:
    """Takes channels, heads, branches and tokens out of graphs until they cost no more than a limit.

    `magnitude`, `activation` and `taylor` take what matters least by that rule. `accuracy` takes only what does not
    raise the validation loss (after AxFormer, Nagarajan et al., 2020), and allows more when nothing else is left; it
    begins with what saves most for what it matters by `taylor`.

    Attributes:
        method: accuracy | taylor | magnitude | activation.
        step: Channels of a layer that go together.
        cost_of: What a graph costs.
        training: Clips by which importance is judged.
        valid: Clips by which loss is judged; never those of the test split.
        progress: Called with what is being done.
    """

    method: Literal["accuracy", "taylor", "magnitude", "activation"]
    step: int
    cost_of: CostOf
    training: Examples
    valid: Examples
    progress: Progress = lambda _: None

    def prune(self, graph: Graph, limit: Cost, budget: Cost | None = None) -> Graph:
        """The smaller graph.

        Args:
            graph: A canonical float graph.
            limit: What it may cost.
            budget: What it may cost in the end, of which errors speak, if the limit is but a step.

        Raises:
            FitError: If nothing more can be removed and the graph still costs more.
        """
        pruned = self._by_accuracy(graph, limit) if self.method == "accuracy" else self._by_score(graph, limit)
        verify(pruned, FLOAT)
        if (cost := self.cost_of(pruned)).over(limit).worst > 1:
            what = f"nothing is left to prune; it still takes {cost.beyond(budget or limit)}"
            raise FitError(what, where=graph.name, hint="allow more, or begin with another architecture")
        return pruned

    def _over(self, graph: Graph, limit: Cost) -> Cost:
        return self.cost_of(graph).over(limit)

    def _by_score(self, graph: Graph, limit: Cost) -> Graph:
        """The least important go first."""
        gone: list[Candidate] = []
        for candidate in sorted(self._bundles(graph), key=lambda candidate: candidate.importance):
            if self._over(without(graph, gone), limit).worst <= 1:
                break
            gone.append(candidate)
        return without(graph, gone)

    def _by_accuracy(self, graph: Graph, limit: Cost) -> Graph:
        """What the loss can do without."""
        best = float("inf")
        for tolerance in TOLERANCES:
            if self._over(graph, limit).worst <= 1:
                break
            graph, best = self._round(graph, limit, tolerance, best)
        return graph

    def _round(self, graph: Graph, limit: Cost, tolerance: float, best: float) -> tuple[Graph, float]:
        """Every candidate once; the smaller graph, and the lowest loss seen so far."""
        judge, gone = _Judge(graph, self.valid), list[Candidate]()
        best = min(best, judge.loss(gone))
        waiting = [*_branches(graph), *_halvings(graph), *self._by_saving(graph, limit)]
        for number, candidate in enumerate(waiting, 1):
            if candidate.pooled and any(other.pooled for other in gone):
                continue  # a judge cannot tell what halving twice does
            self.progress(f"prune {number}/{len(waiting)} at +{tolerance:.0%} loss: {candidate.name}")
            loss = judge.loss([*gone, candidate], at_most=best * (1 + tolerance))
            if loss > best * (1 + tolerance):
                continue
            gone.append(candidate)
            best = min(best, loss)
            if self._over(without(graph, gone), limit).worst <= 1:
                break
        return without(graph, gone), best

    def _by_saving(self, graph: Graph, limit: Cost) -> list[Candidate]:
        """Bundles by what they save of the resources that are short, for what they matter; best first."""
        short = self._over(graph, limit)

        def gain(candidate: Candidate) -> float:
            left = self._over(without(graph, [candidate]), limit)
            pairs = zip(astuple(short), astuple(left), strict=True)
            saved: float = sum(before - after for before, after in pairs if before > 1)
            return saved / (candidate.importance + 1e-9)

        return sorted(self._bundles(graph), key=gain, reverse=True)

    def _bundles(self, graph: Graph) -> list[Candidate]:
        """Groups made by the same layers, the least important together; the most important bundle of each stays."""
        groups = channel_groups(graph)
        kind = "taylor" if self.method == "accuracy" else self.method
        scores = importance(graph, groups, kind, self.training.x, self.training.y)
        alike: dict[tuple[str, ...], list[ChannelGroup]] = {}
        for group in sorted(groups, key=lambda group: scores[group.name]):
            alike.setdefault(group.makers, []).append(group)
        bundles = []
        for makers, members in alike.items():
            size = 1 if _is_head(graph, members[0]) else self.step
            for start in range(0, len(members) - size, size):
                bundle = tuple(members[start : start + size])
                matters = sum(scores[group.name] for group in bundle)
                bundles.append(Candidate(f"{len(bundle)} of {makers[0]}", bundle, importance=matters))
        return bundles


def without(graph: Graph, gone: Sequence[Candidate]) -> Graph:
    """The graph without some candidates."""
    graph = RemoveChannels(tuple(group for candidate in gone for group in candidate.groups)).run(graph)
    graph = PoolTokens(tuple(candidate.pooled for candidate in gone if candidate.pooled is not None)).run(graph)
    return DropBranch(tuple(candidate.branch for candidate in gone if candidate.branch is not None)).run(graph)


def _branches(graph: Graph) -> list[Candidate]:
    """Residual branches, from the output inwards."""
    return [Candidate(f"branch of {branch.join}", branch=branch) for branch in reversed(residual_branches(graph))]


def _halvings(graph: Graph) -> list[Candidate]:
    """Tokens of which two may become one, from the output inwards."""
    return [Candidate(f"every other token of {name}", pooled=name) for name in reversed(poolable(graph))]


def _is_head(graph: Graph, group: ChannelGroup) -> bool:
    """Whether a group is a head of attention, many channels that go as one."""
    readers = (node for name in group.channels for node in graph.users(graph.producers[name].output))
    return any(isinstance(node.op, Attention) for node in readers)


class _Judge:
    """The validation loss of a graph with candidates held at 0."""

    def __init__(self, graph: Graph, valid: Examples) -> None:
        self.module, self.valid, self.graph = GraphModule(graph), valid, graph

    def loss(self, gone: Sequence[Candidate], at_most: float = float("inf")) -> float:
        """The mean loss; more than `at_most`, and no more than that is known, as soon as it must be."""
        groups = [group for candidate in gone for group in candidate.groups]
        masked = gates(self.graph, groups)(torch.zeros(len(groups)))
        pooled = {candidate.pooled for candidate in gone}
        joins = {node.name: node for node in self.graph.nodes}
        dropped = {joins[c.branch.join].inputs[c.branch.operand].name for c in gone if c.branch is not None}

        def rewrite(name: str, value: Tensor) -> Tensor:
            if name in dropped:
                return torch.zeros_like(value)
            return _paired(masked(name, value)) if name in pooled else masked(name, value)

        total, clips = 0.0, len(self.valid.y)
        for x, y in zip(torch.split(self.valid.x, _BATCH), torch.split(self.valid.y, _BATCH), strict=True):
            with torch.inference_mode():
                total += F.cross_entropy(self.module.run(x, rewrite), y, reduction="sum").item()
            if total > at_most * clips:
                break
        return total / clips


def _paired(tokens: Tensor) -> Tensor:
    """Both of two neighbours as their mean; of an odd number the last stays as it is."""
    even = tokens.shape[-2] // 2 * 2
    means = tokens[..., :even, :].unflatten(-2, (-1, 2)).mean(-2)  # type: ignore[no-untyped-call]
    return torch.cat((means.repeat_interleave(2, -2), tokens[..., even:, :]), -2)
