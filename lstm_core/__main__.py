"""The command line: what the pages do, without a browser.

An error that a user can correct is one line on standard error and exit status 2.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import lstm_core
from lstm_core.errors import LabError
from lstm_core.inference import registry as model_registry
from lstm_core.inference.registry import TASKS
from lstm_core.library import card as cards
from lstm_core.library import store

OPTIONAL = {"keras", "tensorflow", "jax", "distributed", "dask", "pandas", "scipy"}  # the extra `train` installs them


def command() -> int:
    """Run the command line of this process (`lstm-lab`); returns the exit status."""
    _redirect_native_messages()
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for terminals whose encoding lacks a character
    options = _parser().parse_args(arguments)
    store.quiet_tensorflow()
    try:
        options.run(options)
    except LabError as error:
        print(f"lstm_core: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in OPTIONAL:
            raise
        print(f"lstm_core: {error.name} is missing; the extra 'train' installs it (see README)", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `… | head` reads the first lines only
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("lstm_core: stopped.", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would print the usage too."""
        self.exit(2, f"lstm_core: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    program = "lstm-lab" if Path(sys.argv[0]).stem == "lstm-lab" else "python -m lstm_core"
    parser = _Parser(prog=program, description="Trained recurrent networks that show how they compute their answers.")
    parser.add_argument("--version", action="version", version=f"LSTM Lab {lstm_core.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str, *, as_json: bool = True) -> _Parser:
        command: _Parser = commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        if as_json:
            command.add_argument("--json", action="store_true", help="print one JSON object")
        return command

    add("list", _list, "list the models")

    command = add("predict", _predict, "classify texts")
    command.add_argument("model")
    command.add_argument("texts", metavar="TEXT", nargs="*", help="without one, it is read from standard input")

    command = add("read", _read, "print the prediction after each token of a text")
    command.add_argument("model")
    command.add_argument("text", metavar="TEXT", nargs="?", help="without it, it is read from standard input")

    command = add("generate", _generate, "continue a prompt")
    command.add_argument("model")
    command.add_argument("--prompt", help="the beginning of the text; without it, it is read from standard input")
    command.add_argument("--length", type=int, default=400, help="number of characters (default %(default)s)")
    command.add_argument("--temperature", type=float, default=1.0, help="0 is greedy decoding (default %(default)s)")
    command.add_argument("--top-k", type=int, help="sample from the k most probable characters")
    command.add_argument("--top-p", type=float, help="sample from the fewest characters with this total probability")
    command.add_argument("--seed", type=_seed, help="the same seed gives the same text")

    command = add("inspect", _inspect, "print what is in the file of a network of Keras or PyTorch")
    command.add_argument("file", help=".keras, .h5, .safetensors, .pt or .pth, or a model here")

    command = add("train", _train, "train a model by its recipe and save it", as_json=False)
    command.add_argument("recipe")
    command.add_argument("--seed", type=_seed, help="a non-negative seed in place of the recipe's")
    command.add_argument("--into", help="folder for the model (default: its folder in models/)")

    command = add("evaluate", _evaluate, "evaluate a model on its test set")
    command.add_argument("model")
    command.add_argument("--update-card", action="store_true", help="write the figures into the model's card")

    command = add("checkup", _checkup, "check the gates, states and gradients of a network for faults")
    command.add_argument("model", help="a model here, or the file of any network of Keras or PyTorch")
    command.add_argument(
        "--data",
        help="what it reads, in a file: texts, one a line (a model here has examples of its own); for the file of a "
        "network also .csv with one row a timestep, or .npy and .npz as lstm_core.trace takes them",
    )

    command = add("download", _download, "download a data set", as_json=False)
    command.add_argument("dataset")
    command.add_argument("--again", action="store_true", help="download it again and replace it")
    return parser


def _list(options: argparse.Namespace) -> None:
    models = model_registry.list_models()
    if options.json:
        print(json.dumps([{"name": card.name, "title": card.title, "measured": card.measured} for card in models]))
        return
    for card in models:
        print(f"{card.name:24}{cards.headline(card.measured):>27}  {card.title}")


def _predict(options: argparse.Namespace) -> None:
    model = _load_for("classifier", options.model)
    texts = options.texts or [_standard_input()]
    rows = model.predict(texts)
    answers = [
        {"answer": model.labels[int(row.argmax())], "probabilities": dict(zip(model.labels, row.tolist(), strict=True))}
        for row in rows
    ]
    if options.json:
        print(json.dumps({"model": model.card.name, "answers": answers}))
        return
    for answer, row in zip(answers, rows, strict=True):
        print(f"{answer['answer']}\t{row.max():.3f}")


def _read(options: argparse.Namespace) -> None:
    model = _load_for("classifier", options.model)
    reading = model.read(options.text if options.text is not None else _standard_input())
    if options.json:
        encoded = reading.encoded
        of_text = {"unknown": encoded.unknown, "cut": encoded.cut, "masked": encoded.masked}
        of_answer = {"answer": reading.answer, "labels": reading.labels, "tokens": reading.tokens}
        rows = reading.probabilities.tolist()
        print(json.dumps({"model": model.card.name, **of_answer, **of_text, "probabilities": rows}))
        return
    print("token".ljust(20), *(label.rjust(10) for label in model.labels))
    for token, row in zip(reading.tokens, reading.probabilities, strict=True):
        print(token[:20].ljust(20), *(f"{value:10.3f}" for value in row))


def _generate(options: argparse.Namespace) -> None:
    model = _load_for("generator", options.model)
    prompt = options.prompt if options.prompt is not None else _standard_input()
    sampling = options.temperature, options.top_k, options.top_p, options.seed
    try:
        stream = model.stream(prompt, options.length, *sampling)
    except ValueError as error:
        raise LabError(str(error)) from error
    if options.json:
        text = "".join(each.character for each in stream)
        print(json.dumps({"model": model.card.name, "prompt": prompt, "text": text, "seed": options.seed}))
        return
    print(prompt, end="")
    for each in stream:
        print(each.character, end="", flush=True)
    print()


def _inspect(options: argparse.Namespace) -> None:
    named = not os.path.exists(options.file) and Path(options.file).name == options.file and "." not in options.file
    report = lstm_core.inspect(model_registry.find_model(options.file) if named else options.file)
    print(json.dumps(report.to_json()) if options.json else report)


def _load_for(task: str, name: str) -> Any:
    """Load a model and check its task; LabError if it has another one."""
    model = model_registry.load(name)
    if model.card.task != task:
        own, needed = TASKS[model.card.task].noun, TASKS[task].noun
        raise LabError(f"The model '{model.card.name}' is a {own}; this takes a {needed}.")
    return model


def _train(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from lstm_core.nn import keras_backend
    from lstm_core.training import registry

    recipe = registry.find_recipe(options.recipe)
    keras_backend.choose()
    from lstm_core.training.trainer import Trainer  # imports Keras, which takes its backend now

    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    folder = Path(options.into) if options.into else _home(recipe)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)  # fail before training, not after it

    def show(progress: Any) -> None:
        print(progress.line, end="\n" if progress.whole_epoch else "\r", flush=True)

    made = registry.task_of(recipe).train(Trainer(show))
    with _writing(folder):
        store.save(*made, folder, compact=True)
    print(f"\nSaved in {folder}. Measure it: python -m lstm_core evaluate {options.into or recipe.name}")


def _home(recipe: Any) -> Path:
    """The default folder of a model; LabError for a lesson if the user has one of that name, to keep that."""
    from lstm_core.library import user_models
    from lstm_core.training.lessons.recipe import LessonRecipe

    if not isinstance(recipe, LessonRecipe):
        return store.SHIPPED / recipe.name
    if user_models.is_taken(recipe.name):
        taken = user_models.own_folder() / recipe.name
        raise LabError(f"There is a model in {taken} already; choose another folder with --into.")
    return user_models.own_folder() / recipe.name


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(f"The model can't be saved in {folder} ({error.strerror}); choose another folder.") from error


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise ValueError
    return seed


def _evaluate(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from lstm_core.evaluation.evaluate import evaluate

    model = model_registry.load(options.model)
    figures = evaluate(model)
    if options.update_card:
        folder = model_registry.find_model(options.model)
        with _writing(folder):
            store.save_card(replace(model.card, measured=figures), folder)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{figures['model']}: {cards.headline(figures)} on {figures['examples']:,} examples of the test set")
    if "auc" in figures:
        print(f"area under the ROC curve {figures['auc']:.4f}")
    if "confusion" in figures:
        _print_classes(figures)


def _print_classes(figures: dict[str, Any]) -> None:
    labels = figures["labels"]
    print(f"\n{'class':12}{'precision':>10}{'recall':>10}   given as: {'  '.join(f'{name:>10}' for name in labels)}")
    for name, row in zip(labels, figures["confusion"], strict=True):
        shares = "".join(
            f"{'–' if value is None else format(value, '.1%'):>10}"
            for value in (figures["precision"][name], figures["recall"][name])
        )
        print(f"{name:12}{shares}             {'  '.join(f'{count:10,}' for count in row)}")


def _checkup(options: argparse.Namespace) -> None:
    from lstm_core.interpret import checkup, is_network, read_data
    from lstm_core.tracing import opened

    data: Any = None
    model = opened(options.model) if is_network(options.model) else model_registry.load(options.model)
    if options.data:
        data = read_data(Path(options.data), model) if is_network(options.model) else _lines(Path(options.data))
    found = checkup(model, data)
    if options.json:
        print(json.dumps({"model": options.model, **found.to_json()}))
        return
    print(f"{options.model}: {found.severity}; {found.sequences:,} sequences with {found.steps:,} timesteps")
    for finding in found.findings:
        print(f"\n[{finding.severity}] {finding.name}, layer {finding.layer}\n  {finding.sentence}")
        if finding.advice:
            print(f"  What to try: {finding.advice}\n  Source: {finding.source}")
    for skipped in found.skipped:
        print(f"\n[not checked] {skipped.name}, layer {skipped.layer}\n  {skipped.why}")


def _lines(path: Path) -> list[str]:
    """The lines of a text file that aren't empty."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise LabError(f"The data '{path}' can't be read ({error.strerror}).") from error
    return [line for line in text.splitlines() if line.strip()]


def _download(options: argparse.Namespace) -> None:
    from lstm_core.datasets import registry

    def show(done: int, total: int | None) -> None:
        share = f" {done / total:4.0%}" if total else ""
        print(f"{done / 2**20:7.1f} MiB{share}", end="\r", flush=True)

    path = registry.download_dataset(options.dataset, show, again=options.again)
    print(f"{options.dataset}: {path}")


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _redirect_native_messages() -> None:
    """Discard what TensorFlow's native code writes to descriptor 2, which no setting prevents; keep Python's own."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(command())
