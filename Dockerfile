# The API as an unprivileged user; PostgreSQL and Redis come from docker-compose.yml.
FROM python:3.11-slim
WORKDIR /app
RUN useradd --uid 10001 --create-home tensoe && mkdir /data && chown tensoe /data
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY alembic.ini pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY backend backend
RUN pip install --no-cache-dir --no-deps .
USER tensoe
EXPOSE 8000
CMD ["python", "-m", "backend.startup"]
