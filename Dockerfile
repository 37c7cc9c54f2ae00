# The pages, built with Node out of a wheel.
FROM python:3.11-slim AS studio
WORKDIR /app
COPY requirements-studio.txt .
RUN pip install --no-cache-dir -r requirements-studio.txt
COPY frontend frontend
COPY backend/__init__.py backend/__init__.py
COPY backend/web backend/web
RUN python -m backend.web.build

# The API as an unprivileged user; PostgreSQL and Redis come from docker-compose.yml.
FROM python:3.11-slim
WORKDIR /app
RUN useradd --uid 10001 --create-home tensoe && mkdir /data && chown tensoe /data
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY alembic.ini pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY backend backend
COPY --from=studio /app/backend/web/studio backend/web/studio
RUN pip install --no-cache-dir --no-deps .
USER tensoe
EXPOSE 8000
CMD ["python", "-m", "backend.startup"]
