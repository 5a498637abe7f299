"""From a YAML file to a frozen configuration."""

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml

from admet.config.base import Section
from admet.config.yaml_text import TextAsWritten, as_text
from admet.errors import ConfigError

S = TypeVar("S", bound=Section)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's safe loader, but a key that stands twice is an error; YAML would take the last one."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    # Keys are text: a column may be called 1, NO or null.
    node.value = [(as_text(key), value) for key, value in node.value]
    loader.flatten_mapping(node)
    node.value = [(as_text(key), value) for key, value in node.value]  # those merged in
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a word", key_node.start_mark
            )
        if key_node.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key_node.value!r} stands twice", key_node.start_mark
            )
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _float_without_point(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    """Reads `1e-3` as a number; YAML 1.1 would read it as text, since it has no point."""
    return float(loader.construct_scalar(node))


class _Dumper(yaml.SafeDumper):
    """YAML's safe dumper; it quotes text that the loader would read as a number."""


for _end in (_UniqueKeyLoader, _Dumper):
    _end.add_implicit_resolver(
        "!exponent", re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
    )
_UniqueKeyLoader.add_constructor("!exponent", _float_without_point)


def dump_yaml_config(config: Section) -> str:
    """Writes a configuration as YAML that `load_yaml_config` reads as the same."""
    content = config.model_dump(mode="json")
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def load_yaml_config(path: Path, model: type[S]) -> S:
    """Reads and checks a YAML file.

    Args:
        path: The file.
        model: The section class that it must fit.

    Returns:
        The frozen configuration.

    Raises:
        ConfigError: If the file is missing, is no YAML mapping, or holds an unknown key or a
            value that breaks its rule.
    """
    content = _read(path, model)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"Config file {str(path)!r} must hold sections such as `data:`; it holds a "
            f"{type(content).__name__}."
        )
    # A section that holds nothing but comments reads as None: its defaults apply.
    for key in content:
        if content[key] is None and _is_section(model, key):
            content[key] = {}
    try:
        return model(**content)
    except ConfigError as error:
        raise ConfigError(f"In {str(path)!r}: {error}") from None
    except RecursionError:
        raise ConfigError(
            f"In {str(path)!r}: nested too deep, or an anchor holds itself. Remove it."
        ) from None


def _read(path: Path, model: type[Section]) -> Any:
    """Reads what a YAML file holds; as `load_yaml_config`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"Config file {str(path)!r} does not exist. Check --config.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Config file {str(path)!r} cannot be read: {error}.") from None
    try:
        return _content(text, model)
    except ConfigError as error:
        raise ConfigError(f"In {str(path)!r}: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(
            f"Config file {str(path)!r} is not valid YAML: {error}{_hint(error)}"
        ) from None
    except RecursionError:
        raise ConfigError(
            f"Config file {str(path)!r} is not valid YAML: nested too deep."
        ) from None
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        # Dates, numbers and tags that PyYAML's constructors stumble over.
        raise ConfigError(
            f"Config file {str(path)!r} is not valid YAML: a value is not of its type ({error})."
        ) from None


def _content(text: str, model: type[Section]) -> Any:
    """Reads the one document of a YAML file; where the schema wants text, it is taken as written.

    Raises:
        ConfigError: If a list or a mapping stands where a text should.
        YAMLError: If it is no YAML.
    """
    loader = _UniqueKeyLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        TextAsWritten().mark(node, model)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _hint(error: yaml.YAMLError) -> str:
    """Suggests quotes where a name may have stopped the scanner."""
    if not isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError):
        return ""
    return (
        "\nPut names in quotes that begin with one of [ ] { } @ ` % & * ! | > ' \" or hold `: ` or "
        "` #`."
    )


def _is_section(model: type[Section], key: object) -> bool:
    field = model.model_fields.get(str(key))
    annotation = field.annotation if field else None
    return isinstance(annotation, type) and issubclass(annotation, Section)
