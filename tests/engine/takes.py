"""Finished videos of the engine for tests: who speaks, what is said, and when it is heard."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from talkingphoto.foundation import settings
from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import faces, render, speech
from tests.support import film, lips, synthetic_face
from tests.support.film import Picture
from tests.support.landmarks import Landmarker

ASTRONAUT = (settings.PROJECT_ROOT / "static" / "img" / "portrait.jpg").read_bytes()
ANN = synthetic_face.png(synthetic_face.portrait())

NEURAL, BASIC = "en-heart", "espeak:de"
# Many of p, b and m between vowels that open the mouth.
ENGLISH = (
    "Mama and Papa bought a big map at the farm.",
    "Bob saw a calm palm above the bar, and Pam laughed.",
    "Come back, my happy lamb, for the barn is warm.",
)
GERMAN = (
    "Mama kam am Abend mit Papa bald an.",
    "Bob malte am Bach ein Bild, und Anna kam am Abend.",
    "Oma hat am Samstag Pappe und Lampen gebracht.",
)


@dataclass(frozen=True)
class Take:
    """A finished video, the photo it was made from and the speech that was asked for."""

    photo: bytes
    path: Path
    said: speech.Speech

    @cached_property
    def sound(self) -> film.Sound:
        """What is heard."""
        return film.sound(self.path)

    @cached_property
    def watched(self) -> lips.Watched:
        """The face, frame by frame."""
        return lips.watch(self.path, Landmarker())

    @cached_property
    def begins(self) -> float:
        """The second of the film at which the speech begins."""
        return lips.speech_begins(self.sound, self.said.samples, self.said.sample_rate)

    @property
    def seconds(self) -> float:
        """How long the film is."""
        return len(self.watched.times) * lips.FRAME_SECONDS

    @property
    def picture(self) -> Picture:
        """The photo's pixels."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.photo, np.uint8), 1), np.uint8)


class Studio:
    """Makes takes in a folder, by the engine's own code, in this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._finder = faces.FaceFinder()

    def take(self, photo: bytes, text: str, voice: str, tier: port.Tier = "540p") -> Take:
        """The text spoken by the face in the photo."""
        seed = 7
        name = hashlib.sha256(photo + f"{text} {voice} {tier}".encode()).hexdigest()[:16]
        source = self._folder / f"{name}.photo"
        source.write_bytes(photo)
        request = port.RenderRequest(
            job_id=name,
            photo=port.BlobRef(source, hashlib.sha256(photo).hexdigest()),
            text=text,
            language="",
            voice=voice,
            tier=tier,
            watermark=None,
            seed=seed,
            max_seconds=60,
        )
        path = self._folder / f"{name}.mp4"
        render.render(request, path, finder=self._finder, tell=lambda _stage, _share: None)
        return Take(photo, path, speech.voice(voice).say(text, seed=seed))
