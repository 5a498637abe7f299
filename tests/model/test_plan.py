import pytest

from admet.errors import ConfigError
from admet.model.chemprop.plan import Group, NetworkPlan, Plan, disjoint, overlapping


def test_slots_stand_head_by_head_and_outputs_in_the_order_of_the_tasks():
    plan = NetworkPlan.of(disjoint(["ca", "b"]), "abc")
    assert plan.tasks == ("a", "b", "c")
    assert plan.slots == [2, 0, 1]
    assert plan.serving == [1, 2, 0]
    assert plan.served == [0, 1, 2]


def test_a_task_in_two_groups_is_served_by_one():
    groups = overlapping(["ab", "bc"], {"b": 1})
    assert [group.serves for group in groups] == [("a",), ("b", "c")]
    shared = Plan.of("task_affinity", groups, "abc", share_encoder=True)
    assert len(shared.networks) == 1
    assert shared.networks[0].slots == [0, 1, 1, 2]
    assert shared.networks[0].serving == [0, 2, 3]
    apart = Plan.of("task_affinity", groups, "abc", share_encoder=False)
    assert [network.tasks for network in apart.networks] == [("a", "b"), ("b", "c")]
    assert [network.served for network in apart.networks] == [[0], [0, 1]]
    assert apart.networks[0].serving == [0, 1]  # b is learnt there, though not served
    assert apart.groups == shared.groups == list(groups)


def test_a_cut_plan_serves_all_that_it_holds():
    groups = overlapping(["ab", "bc", "d"], {"b": 1})
    plan = Plan.of("task_affinity", groups, "abcd", share_encoder=False)
    assert plan.cut(3) == plan
    assert [group.serves for group in plan.cut(2).groups] == [("a",), ("b", "c")]
    assert [group.serves for group in plan.cut(1).groups] == [("a", "b")]


def test_a_plan_survives_json():
    groups = overlapping(["ab", "bc"], {"b": 1})
    plan = Plan.of("manual_groups", groups, "abc", share_encoder=False)
    assert Plan(**plan.model_dump(mode="json")) == plan


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Group(tasks=(), serves=()), "tasks"),
        (lambda: Group(tasks=("a", "a"), serves=()), r"must name each task once; twice: \['a'\]"),
        (lambda: Group(tasks=("a",), serves=("b",)), r"must hold the tasks that it serves.*'b'"),
        (
            lambda: NetworkPlan(tasks=("a", "b"), groups=disjoint(["a"])),
            r"must name what its groups hold, once; not so for \['b'\]",
        ),
        (
            lambda: Plan.of("multi_task", disjoint(["a", "a"]), "a", share_encoder=True),
            "One group must serve each task; not so for 'a'",
        ),
        (
            lambda: Plan.of(
                "multi_task", [Group(tasks=("a",), serves=())], "a", share_encoder=True
            ),
            "One group must serve each task; not so for 'a'",
        ),
        (lambda: Plan(arm="best", networks=()), "arm"),
        (lambda: overlapping(["a", "a"], {}), r"for 'a', one of the groups \[0, 1\].*got None"),
        (lambda: overlapping(["a", "a"], {"a": 2}), r"for 'a', one of the groups \[0, 1\].*got 2"),
        (lambda: overlapping(["a", "b"], {"a": 1}), r"for 'a', one of the groups \[0\].*got 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
