import pickle

import pytest
import torch

from admet.errors import ConfigError
from admet.model.chemprop.chemprop_file import read_chemprop_file
from admet.model.inputs.minimol_graphs import package_file


class Harm:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def test_a_file_of_admet_ai_is_read():
    path = package_file("admet_ai", "resources/models/admet_regression/model_0.pt")
    file = read_chemprop_file(path)
    assert (file.d_v, file.d_e) == (72, 14)
    assert (file.encoder.depth, file.encoder.hidden_size, file.encoder.aggregation) == (
        3,
        300,
        "norm",
    )
    assert file.ffn is not None
    assert file.ffn.num_layers == 1
    assert len(file.outputs) == 10
    assert file.of("message_passing")["W_i.weight"].shape == (300, 86)


@pytest.mark.parametrize("alone", [True, False])
def test_nothing_that_a_file_holds_is_run(tmp_path, alone):
    harmful = {"hyper_parameters": {"metrics": Harm()}, "state_dict": {}}
    path = tmp_path / "m.pt"
    if alone:
        path.write_bytes(pickle.dumps(harmful))
    else:
        torch.save(harmful, path)
    with pytest.raises(
        ConfigError, match=r"cannot be read as a model of Chemprop v2|no bond message"
    ):
        read_chemprop_file(path)


def test_an_encoder_alone_is_read(tmp_path):
    from chemprop.nn import BondMessagePassing

    theirs = BondMessagePassing(d_h=16, depth=2)
    path = tmp_path / "mp.pt"
    torch.save({"hyper_parameters": theirs.hparams, "state_dict": theirs.state_dict()}, path)
    file = read_chemprop_file(path)
    assert file.ffn is None
    assert file.encoder.hidden_size == 16
    assert torch.equal(file.of("message_passing")["W_h.weight"], theirs.W_h.weight)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"PK\x03\x04", {"state_dict": {}}, {"hyper_parameters": {"d_h": 3}}]
)
def test_another_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "m.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ConfigError, match="m.pt"):
        read_chemprop_file(path)


def test_an_activation_that_is_not_ours_is_refused(tmp_path):
    from chemprop.nn import BondMessagePassing

    theirs = BondMessagePassing(d_h=16, activation="selu")
    path = tmp_path / "mp.pt"
    torch.save({"hyper_parameters": theirs.hparams, "state_dict": theirs.state_dict()}, path)
    with pytest.raises(ConfigError, match="activation selu"):
        read_chemprop_file(path)
