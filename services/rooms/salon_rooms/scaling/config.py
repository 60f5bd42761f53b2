"""What an operator sets, from SALON_SCALER_* in the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from salon_common.settings import ServiceSettings

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ScalerSettings(ServiceSettings):
    """Settings of the process that orders scale-ins."""

    model_config = SettingsConfigDict(env_prefix="SALON_SCALER_")

    namespace: str = Field(
        default="salon-media",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="The namespace of the media pods.",
    )
    selector: str = Field(
        default="app.kubernetes.io/name=media", description="The label selector of the media pods."
    )
    seconds: float = Field(
        default=5.0, ge=1, le=300, description="Seconds between two looks at the nodes and their pods."
    )
    api_url: str = Field(
        default="https://kubernetes.default.svc",
        pattern=r"^https?://\S+$",
        description="Where the Kubernetes API is.",
    )
    service_account: Path = Field(
        default=SERVICE_ACCOUNT,
        description="The directory with the service account's `token` and `ca.crt`, as Kubernetes mounts it.",
    )
