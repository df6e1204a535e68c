// The same bytes from every folder: module ids by order, not by path.
module.exports = {
  optimization: { moduleIds: 'natural' }
};
