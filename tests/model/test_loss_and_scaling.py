import numpy as np
import pytest
import torch
from chemprop.nn.metrics import BoundedMSE
from torch.nn import functional as F

from admet.config import TrainingConfig
from admet.data.transforms import LOG10, LOGIT, NO_TRANSFORM
from admet.errors import DeviceError
from admet.kinds import BINARY, REGRESSION
from admet.model.chemprop import TargetScaler, TaskLoss
from admet.model.chemprop.device import resolve_device
from admet.model.chemprop.losses import BEND, NOISE, balanced, label_weights, loss_of


@pytest.fixture
def batch():
    torch.manual_seed(0)
    outputs, targets = torch.randn(20, 3), torch.randn(20, 3)
    targets[:, 2] = (targets[:, 2] > 0).float()
    mask = torch.rand(20, 3) > 0.5
    return outputs, targets * mask, mask


def test_each_kind_has_its_own_loss(batch):
    outputs, targets, mask = batch
    loss = TaskLoss([REGRESSION, REGRESSION, BINARY])
    per_task = loss.per_task(outputs, targets, mask)
    for t in (0, 1):
        m = mask[:, t]
        assert per_task[t] == pytest.approx(F.mse_loss(outputs[m, t], targets[m, t]).item())
    m = mask[:, 2]
    expected = F.binary_cross_entropy_with_logits(outputs[m, 2], targets[m, 2])
    assert per_task[2] == pytest.approx(expected.item())


def test_the_default_is_the_mean_over_labels(batch):
    outputs, targets, mask = batch
    loss = TaskLoss([REGRESSION] * 3)(outputs, targets, mask)
    expected = ((outputs - targets)[mask] ** 2).mean()
    assert loss.item() == pytest.approx(expected.item())


def test_unlabelled_cells_have_no_gradient(batch):
    outputs, targets, mask = batch
    outputs.requires_grad_()
    TaskLoss([REGRESSION, REGRESSION, BINARY])(outputs, targets, mask).backward()
    assert (outputs.grad[~mask] == 0).all()
    assert (outputs.grad[mask] != 0).all()


def test_weights_make_tasks_count_alike():
    n_labels = [900, 90, 10]
    weights = label_weights(n_labels, "tasks")
    assert [w * n for w, n in zip(weights, n_labels, strict=True)] == pytest.approx([1000 / 3] * 3)
    assert label_weights(n_labels, "labels") is None


def test_a_batch_without_labels_is_zero_and_differentiable():
    outputs = torch.randn(4, 2, requires_grad=True)
    loss = TaskLoss([REGRESSION, BINARY])(
        outputs, torch.zeros(4, 2), torch.zeros(4, 2, dtype=torch.bool)
    )
    loss.backward()
    assert loss.item() == 0


def test_scaler_sees_labels_only_and_goes_back(rng):
    labels = rng.standard_normal((50, 3)) * [10.0, 0.01, 1.0] + [5.0, -3.0, 0.0]
    labels[:, 2] = labels[:, 2] > 0
    labels[rng.random((50, 3)) < 0.3] = np.nan
    kinds = [REGRESSION, REGRESSION, BINARY]
    scaler = TargetScaler.fit(labels, kinds)
    scaled = scaler.scale_labels(labels)
    np.testing.assert_allclose(np.nanmean(scaled[:, :2], axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(scaled[:, :2], axis=0), 1, atol=1e-12)
    assert np.array_equal(scaled[:, 2], labels[:, 2], equal_nan=True)
    back = scaler.to_units(torch.from_numpy(np.nan_to_num(scaled)))
    present = ~np.isnan(labels[:, 0])
    np.testing.assert_allclose(back[present, 0], labels[present, 0])
    assert ((back[:, 2] > 0) & (back[:, 2] < 1)).all()


def test_a_task_without_training_labels_gets_scale_one():
    scaler = TargetScaler.fit(np.array([[np.nan, 2.0], [np.nan, 2.0]]), [REGRESSION] * 2)
    assert scaler.scale.tolist() == [1.0, 1.0]
    assert scaler.mean.tolist() == [0.0, 2.0]


def test_a_device_that_is_not_there_is_named():
    assert resolve_device("cpu").type == "cpu"
    with pytest.raises(DeviceError, match=r"`x` is 'cuda:99'.*Set it to auto or cpu"):
        resolve_device("cuda:99", "x")


@pytest.mark.parametrize("size", [1e99, 1e-200])
def test_the_scale_follows_any_unit(rng, size):
    labels = rng.standard_normal((40, 1))
    scaler = TargetScaler.fit(labels * size, [REGRESSION])
    assert scaler.scale[0] / size == pytest.approx(labels.std(), rel=1e-9)


def limits_like(targets):
    limits = torch.randint(-1, 2, targets.shape, dtype=torch.int8)
    limits[:, 2] = 0  # classes have none
    return limits


def test_the_bounded_loss_and_its_gradient_are_chemprops(batch):
    outputs, targets, mask = batch
    limits = limits_like(targets)
    kinds = [REGRESSION, REGRESSION]
    ours, theirs = (outputs[:, :2].clone().requires_grad_() for _ in range(2))
    y, m, own = targets[:, :2], mask[:, :2], limits[:, :2]
    TaskLoss(kinds, limit_loss="bounded")(ours, y, m, own).backward()
    weights = torch.ones(len(y))
    BoundedMSE()(theirs, y, m, weights, own < 0, own > 0).backward()
    assert torch.equal(ours.grad == 0, theirs.grad == 0)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_an_output_beyond_its_limit_loses_nothing_of_a_bounded_loss(batch):
    outputs, targets, mask = batch
    limits = limits_like(targets)
    loss = TaskLoss([REGRESSION, REGRESSION, BINARY], limit_loss="bounded")
    plain, bounded = (loss.per_label(outputs, targets, mask, own) for own in (None, limits))
    free = ((outputs - targets) * limits > 0) & mask
    assert free.any()
    assert (bounded[free] == 0).all()
    assert torch.equal(bounded[~free], plain[~free])


def test_a_limit_loses_how_unlikely_a_value_beyond_it_is(batch):
    outputs, targets, mask = (t.double() if t.is_floating_point() else t for t in batch)
    limits = limits_like(targets)
    loss = TaskLoss([REGRESSION, REGRESSION, BINARY])
    plain, found = (loss.per_label(outputs, targets, mask, own) for own in (None, limits))
    normal = torch.distributions.Normal(outputs, NOISE)
    beyond = torch.where(limits > 0, 1 - normal.cdf(targets), normal.cdf(targets))
    own = (limits != 0) & mask
    torch.testing.assert_close(found[own], -2 * NOISE**2 * beyond.log()[own])
    assert torch.equal(found[~own], plain[~own])
    far = loss.per_label(targets + 1e4 * limits, targets, mask, limits)
    assert (far[own] == 0).all()
    wrong = (targets - 1e4 * limits).requires_grad_()
    loss(wrong, targets, mask, limits).backward()
    assert torch.isfinite(wrong.grad).all()
    assert (wrong.grad[own] != 0).all()


@pytest.mark.parametrize("limit_loss", ["tobit", "bounded"])
def test_no_limit_is_as_limits_of_zero(batch, limit_loss):
    outputs, targets, mask = batch
    loss = TaskLoss([REGRESSION, REGRESSION, BINARY], limit_loss=limit_loss)
    zeros = torch.zeros_like(targets, dtype=torch.int8)
    assert torch.equal(loss(outputs, targets, mask), loss(outputs, targets, mask, zeros))


@pytest.mark.parametrize("limit_loss", ["tobit", "bounded"])
def test_a_loss_with_limits_has_the_gradient_of_finite_differences(batch, limit_loss):
    outputs, targets, mask = (t.double() if t.is_floating_point() else t for t in batch)
    loss = TaskLoss([REGRESSION, REGRESSION, BINARY], limit_loss=limit_loss).double()
    limits = limits_like(targets)
    outputs.requires_grad_()
    assert torch.autograd.gradcheck(lambda o: loss(o, targets, mask, limits), (outputs,))


def test_the_scale_is_that_of_the_transformed_labels_and_goes_back(rng):
    labels = np.column_stack([10 ** rng.normal(2, 1, 60), rng.uniform(0, 100, 60), rng.random(60)])
    labels[rng.random((60, 3)) < 0.2] = np.nan
    before = labels.copy()
    transforms = [LOG10, LOGIT, NO_TRANSFORM]
    scaler = TargetScaler.fit(labels, [REGRESSION] * 3, transforms)
    assert scaler.mean[0] == pytest.approx(np.nanmean(np.log10(labels[:, 0])))
    scaled = scaler.scale_labels(labels)
    np.testing.assert_allclose(np.nanstd(scaled, axis=0), 1)
    back = scaler.to_units(torch.from_numpy(scaled))
    np.testing.assert_allclose(back, labels, rtol=1e-9)
    assert np.array_equal(labels, before, equal_nan=True)
    wild = scaler.to_units(torch.tensor([[-99.0, 99.0, 99.0], [99.0, -99.0, -99.0]]))
    assert (wild[:, 0] > 0).all()
    assert wild[:, 1].tolist() == [100.0, 0.0]


def test_forms_of_the_loss(batch):
    outputs, targets, mask = batch
    kinds = [REGRESSION, REGRESSION, BINARY]
    for form, expected in (
        ("mae", (outputs - targets).abs()),
        ("huber", 2 * F.huber_loss(outputs, targets, reduction="none", delta=BEND)),
    ):
        cells = TaskLoss(kinds, form=form).per_label(outputs, targets, mask)
        torch.testing.assert_close(cells[:, :2], (expected * mask)[:, :2])
        plain = TaskLoss(kinds).per_label(outputs, targets, mask)
        torch.testing.assert_close(cells[:, 2], plain[:, 2])  # a class has its own loss


def test_huber_is_square_near_and_straight_far_without_a_step():
    outputs = torch.tensor([[0.9 * BEND], [BEND], [3 * BEND]], dtype=torch.float64)
    cells = (
        TaskLoss([REGRESSION], form="huber")
        .double()
        .per_label(outputs, torch.zeros_like(outputs), torch.ones_like(outputs, dtype=torch.bool))
    )
    expected = [(0.9 * BEND) ** 2, BEND**2, BEND**2 + 2 * BEND * 2 * BEND]
    assert cells[:, 0].tolist() == pytest.approx(expected)


def test_task_weights_act_on_the_loss_of_their_task_only(batch):
    outputs, targets, mask = batch
    kinds, names = [REGRESSION, REGRESSION, BINARY], ["A", "B", "C"]
    values = np.where(mask.numpy(), targets.numpy(), np.nan)
    config = TrainingConfig(task_weights={"B": 3})
    plain = TaskLoss(kinds).per_label(outputs, targets, mask)
    weighted = loss_of(config, kinds, names, values)(outputs, targets, mask)
    expected = (plain * torch.tensor([1.0, 3, 1])).sum() / mask.sum()
    assert weighted.item() == pytest.approx(expected.item())


def test_balanced_classes_weigh_the_same_in_sum():
    y = np.array([[1.0, 0.5], [0, 0.1], [0, np.nan], [0, 0.2], [np.nan, 0.3]])
    factors = balanced([BINARY, REGRESSION], y)
    assert factors[1, 0] * 1 == pytest.approx(factors[0, 0] * 3)
    assert factors[1, 0] + 3 * factors[0, 0] == pytest.approx(4)
    assert (factors[:, 1] == 1).all()
    assert (balanced([BINARY], y[1:4, :1]) == 1).all()  # one class only
    outputs, mask = torch.zeros(5, 2), torch.from_numpy(np.isfinite(y))
    loss = TaskLoss([BINARY, REGRESSION], class_weights=factors)
    cells = loss.per_label(outputs, torch.from_numpy(np.nan_to_num(y)).float(), mask)
    assert cells[0, 0].item() == pytest.approx(cells[1:4, 0].sum().item())
