"""Where things are: the home folder, the data folder, the studies; each from the environment or a default.

Defaults are in the working folder, so that the same command does the same in a checkout and in an empty folder with
an installed wheel, and nothing is ever written beside the code.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsys.paths import STUDY_ENDINGS, resolve

if TYPE_CHECKING:
    from recsys.study.dataset_spec import DatasetSpec

SHIPPED_STUDIES = Path(__file__).parent / "shipped_studies"
"""Studies that come with the package: the demo, a copy of the checkout's file that a test keeps equal."""


PathOfUser = Annotated[Path, AfterValidator(Path.expanduser)]
"""A path that a shell may have left as it was typed, with `~`."""


class Settings(BaseSettings):
    """Settings of this installation, each from an environment variable `MODALIFT_<NAME>`.

    Attributes:
        home: everything the program writes but study files; by default `.modalift` in the working folder.
        data: where studies look for the folders they name; None: beside the study file only.
        studies: the folder of study files that Dagster shows; by default `studies` in the working folder.
        workers: processes that run cells; None: one a core.
        dagster_port: where `modalift ui` serves Dagster, and links between pages lead.
        mlflow_port: the same of MLflow.
        reports_port: the same of the reports.
    """

    model_config = SettingsConfigDict(env_prefix="MODALIFT_", frozen=True)

    home: PathOfUser = Field(default_factory=lambda: Path.cwd() / ".modalift")
    data: PathOfUser | None = None
    studies: PathOfUser = Field(default_factory=lambda: Path.cwd() / "studies")
    workers: int | None = Field(default=None, ge=1)
    dagster_port: int = Field(default=3000, ge=1, le=65535)
    mlflow_port: int = Field(default=5000, ge=1, le=65535)
    reports_port: int = Field(default=5001, ge=1, le=65535)

    def source_folder(self, name: str, spec: "DatasetSpec") -> Path | None:
        """The folder of a dataset's source; None for one that is made. UserError where it is not there."""
        return self.locate(spec.source.folder, f"dataset {name}") if spec.source.folder else None

    def locate(self, path: str, what: str) -> Path:
        """A path named in a study, looked for beside the data, beside the studies and in the working folder."""
        return resolve(path, [folder for folder in (self.data, self.studies, Path.cwd()) if folder is not None], what)

    @property
    def study_files(self) -> list[Path]:
        """The files of the studies folder, by name."""
        return sorted(file for ending in STUDY_ENDINGS for file in self.studies.glob(f"*{ending}"))

    def study_file(self, name: str) -> Path | None:
        """The file of a study in the studies folder; None where it has none of that name."""
        return next((file for file in self.study_files if file.stem == name), None)

    @property
    def store(self) -> Path:
        """Parquet and safetensors files, one folder per version."""
        return self.home / "store"

    @property
    def work(self) -> Path:
        """Finished batches of long encodings, by asset: what makes them resumable. It may be removed at any time."""
        return self.home / "work"

    @property
    def lineage(self) -> Path:
        """One JSON event a materialisation."""
        return self.home / "lineage"

    @property
    def study_versions(self) -> Path:
        """Settings of studies as they were when something was materialised, by their hash."""
        return self.home / "study_versions"

    @property
    def digests(self) -> Path:
        """Digests of the files that studies read, so that a page load need not read them; it may be removed."""
        return self.home / "digests.sqlite"

    @property
    def dagster(self) -> Path:
        """Dagster's own instance folder."""
        return self.home / "dagster"

    @property
    def reports(self) -> Path:
        """The newest report of each study."""
        return self.home / "reports"

    @property
    def catalog(self) -> Path:
        """The DuckDB file that a person queries."""
        return self.home / "catalog.duckdb"

    @property
    def mlflow_database(self) -> Path:
        """Every training as a run."""
        return self.home / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's database, quoted where SQLAlchemy would read `?` or a code such as `%20` in the path as its own."""
        path = str(self.mlflow_database.resolve())
        if unquote(path) != path:
            path = path.replace("%", "%25")
        return f"sqlite:///{path.replace('?', '%3F')}"

    @property
    def mlflow_waiting(self) -> Path:
        """What could not be written to MLflow yet."""
        return self.home / "mlflow_waiting"

    @property
    def artifacts(self) -> Path:
        """MLflow's files."""
        return self.home / "mlartifacts"
