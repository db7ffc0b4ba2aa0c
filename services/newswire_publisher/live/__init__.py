"""The live stream: every act of the wire as Server-Sent Events, from one log that a reader can resume."""
