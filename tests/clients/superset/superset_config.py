"""What the Superset of the test is told: where its own data are, and how people sign in."""

import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['SUPERSET_HOME']}/superset.db"
# The test signs in over plain HTTP on 127.0.0.1, by the API and by a form of its own.
TALISMAN_ENABLED = False
WTF_CSRF_ENABLED = False
