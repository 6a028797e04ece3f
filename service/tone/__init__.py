"""How the tone of an edit moved: one protocol, a lexical answer always, Gemini's where it is worth asking.

``open_tone`` chooses; everything that talks to a network is imported only when a key or Vertex AI is set.
"""

from service.tone.base import ToneClassifier, ToneRequest, ToneStats
from service.tone.open import ToneOptions, open_tone

__all__ = ["ToneClassifier", "ToneOptions", "ToneRequest", "ToneStats", "open_tone"]
